"""The man pages tell what is there, all of it and nothing else.

Usage: pages.py BUILD

 - every option that a program's --help tells of has an item in its page, and
   every item that is an option is in the --help: letters and arguments included;
 - every command has a page of its own, with its options and its summary, and a
   line in clearconf(1); no other has;
 - where a page has a synopsis for each verb, it has the options that the --help
   says are of that verb, and no other that is of some verbs only;
 - every setting of daemon/settings/settings.c has an item in clearconfd.conf(5) with what
   holds without it, and no other;
 - mandoc finds nothing to complain about.
"""

import glob
import re
import subprocess
import sys

PAGES = sorted(glob.glob("client/*.[1-8]") + glob.glob("client/*/*.[1-8]") +
               glob.glob("daemon/*.[1-8]"))
problems = []


def compare(what, real, page):
    problems.extend(f"{what}: {x} is not in the page" for x in sorted(real - page))
    problems.extend(f"{what}: {x} is in the page only" for x in sorted(page - real))


def text_of(path):
    with open(path) as file:
        return file.read()


def help_of(build, program, *words):
    return subprocess.run([f"{build}/{program}", *words, "--help"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def sections(page, macro):
    """{heading: text} of a page, by .Sh or .Ss."""
    parts = re.split(rf"^\.{macro} (.*)\n", page, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def items(text):
    """The options that are items of a list: "-f, --format FORMAT"."""
    found = set()
    for line in re.findall(r"^\.It (Fl .*)$", text, re.M):
        words = [re.sub(r"\b(Fl|Ar|Cm) ", "", word) for word in line.split(" , ")]
        found.add(", ".join("-" + word for word in words))
    return found


def client_options(text):
    """The same as --help prints them."""
    options = text.partition("\nOptions:\n")[2].partition("\n\n")[0]
    return {" ".join(f"{letter}, {rest}".lstrip(", ").split())
            for letter, rest in re.findall(r"^  (-.|  ),? +(--[a-z-]+(?: [A-Z:]+)?)", options, re.M)}


def check_client(build):
    page = text_of("client/clearconf.1")
    parts = sections(page, "Ss")
    overview = help_of(build, "clearconf")
    compare("clearconf", client_options(overview), items(parts["Global options"]))
    listed = overview.partition("Commands")[2].partition("\n\n")[0]
    summaries = dict(re.findall(r"^  ([a-z]+) +(.*)$", listed, re.M))
    told = sections(page, "Sh")["COMMANDS"]
    compare("commands of clearconf", set(summaries), set(re.findall(r"^\.It Xr clearconf-(\w+) 1", told, re.M)))
    compare("pages of commands", set(summaries),
            {path.removeprefix("client/man/clearconf-").removesuffix(".1")
             for path in glob.glob("client/man/*")})
    for name, summary in summaries.items():
        check_command(build, name, summary)


def check_command(build, name, summary):
    page = text_of(f"client/man/clearconf-{name}.1")
    compare(f"clearconf {name}", client_options(help_of(build, "clearconf", name)), items(page))
    compare(f"summary of {name}", {summary}, set(re.findall(r"^\.Nd (.*)$", page, re.M)))
    synopsis = sections(page, "Sh")["SYNOPSIS"]
    check_verbs(name, help_of(build, "clearconf", name), synopsis)
    compare(f"synopsis of {name}", {word for item in items(page) for word in re.findall(r"--[a-z-]+", item)},
            {"-" + word for word in re.findall(r"Fl (-[a-z-]+)", synopsis)})


def check_verbs(name, text, synopsis):
    """An option of some verbs begins its help with them: "put, rm: why"."""
    blocks = [re.match(r"\.(?:Op )?Cm (\w+)", block) and block
              for block in re.split(r"^\.Nm clearconf .*\n", synopsis, flags=re.M)]
    shown = {re.match(r"\.(?:Op )?Cm (\w+)", block).group(1): set(re.findall(r"Fl (-[a-z-]+)", block))
             for block in blocks if block}
    if len(shown) < 2:
        return
    options = re.findall(r"^  (?:-.,|   ) -(-[a-z-]+)(?: [A-Z:]+)? +((?:[a-z]+, )*[a-z]+): ", text, re.M)
    for verb, page in shown.items():
        compare(f"synopsis of {name} {verb}",
                {option for option, verbs in options if verb in verbs.split(", ")},
                page & {option for option, _ in options})


def check_daemon(build):
    real = set(re.findall(r"--[a-z-]+", help_of(build, "clearconfd")))
    page = text_of("daemon/clearconfd.8")
    named = {word for item in items(page) for word in re.findall(r"--[a-z-]+", item)}
    compare("clearconfd", real, named)
    synopsis = sections(page, "Sh")["SYNOPSIS"]
    shown = {"-" + word for word in re.findall(r"(?:Fl|\|) (-[a-z-]+)", synopsis)}
    compare("synopsis of clearconfd", real, shown)


def check_settings():
    table = re.findall(r'^\t\{"(\w+)", "(\w+)", (\w+), IN_\w+\([\w.]+\)(?:, "([^"]*)")?',
                       text_of("daemon/settings/settings.c"), re.M)
    assert len(table) > 30, "the tables of settings.c are not found"
    real = {f"[{section}] {key} = {standard}".rstrip() for section, key, _, standard in table}
    page = set()
    for heading, text in sections(text_of("daemon/clearconfd.conf.5"), "Ss").items():
        section = heading.split()[1]
        page |= {f"[{section}] {item}" for item in re.findall(r"^\.It Li (.*)$", text, re.M)}
    compare("clearconfd.conf", real, page)


def check_mdoc():
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", *PAGES], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    # What else is installed on a machine is not the page's fault.
    problems.extend(line for line in done.stdout.splitlines()
                    if "referenced manual not found" not in line)


def main():
    check_client(sys.argv[1])
    check_daemon(sys.argv[1])
    check_settings()
    check_mdoc()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


sys.exit(main())
