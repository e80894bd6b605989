#!/usr/bin/python3
"""Fail when a comment or a page refers to what is not there.

 - NAME.md is a file of daemon/doc/ or client/doc/, of the top level, or relative
   to who names it; a title in quotes behind it (NAME.md, "Title") is a heading
   of it;
 - clearconf(1), "Section" and the like is a section of that man page;
 - a path in backquotes, or a link, in a page of ours leads to something; so does
   the name of a test (`test_x.py`, `test_y.c`);
 - what a page says to `make` is a target of the Makefile;
 - nothing refers to a paper that the repository does not have.

Comments may break a reference over lines.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = (".c", ".h", ".py", ".sh", ".md", ".1", ".3", ".5", ".8", ".varlink", ".yaml", ".conf", ".service",
           ".socket", ".yml", "Makefile", "Containerfile", "run")
DOCS = ("daemon/doc", "client/doc", ".")
TEXT = re.compile(r'(?<![$\w./-])([\w./-]*\w\.md)\b(?:[,:]? "([^"]+)")?')
MAN = re.compile(r'\b(clearconf(?:-\w+)?|clearconfd|clearconfd\.conf|libclearconf)\((\d)\), "([^"]+)"')
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([\w-]+))?\)")
TICKED = re.compile(r"`((?:daemon|client|tests|include|systemd|\.ci|\.github)/[^`\s]*?|test_\w+\.(?:py|c))`")
MAKE = re.compile(r"(?:^|`|&& |sudo )make ((?:[A-Z]+=\S+ )*)([a-z][a-z-]*)(?![\w/-])", re.M)
ELSEWHERE = re.compile(r"\b(?:SEMANTICS|INTERFACE\.md|DESIGN\.md|STYLE\.md|USERS\.md|API\.md|issue \d+)\b")
# Of other projects.
NOT_OURS = {"HOCON.md"}
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M))
problems = []


def plain(text):
    """Comments and paragraphs on one line each."""
    return re.sub(r"\s+", " ", re.sub(r"\n[ \t]*(?:\*(?!/)|//|#|;)?[ \t]*", " ", text))


def headings(path):
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {title.replace("`", "") for title in titles}


def anchors(path):
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings(path)}


def find(name, source):
    for folder in (source.parent, *(ROOT / each for each in DOCS)):
        if (folder / name).is_file():
            return folder / name
    return ROOT / name if (ROOT / name).is_file() else None


def sections(name, number):
    pages = list(ROOT.glob(f"client/**/{name}.{number}")) + list(ROOT.glob(f"daemon/{name}.{number}"))
    return {title.lower() for page in pages
            for title in re.findall(r"^\.S[hs] (.*)$", page.read_text(), re.M)}


def is_there(path, source):
    if "/" not in path:
        return next(ROOT.glob(f"tests/**/{path}"), None)
    path = path.split(":")[0]
    return next(ROOT.glob(path), None) or (source.parent / path).exists()


def check_text(source, text):
    for name, title in TEXT.findall(text):
        found = None if name in NOT_OURS else find(name, source)
        if not found and name not in NOT_OURS:
            yield f"there is no {name}"
        elif found and title and title not in headings(found):
            yield f'{name} has no heading "{title}"'
    for name, number, title in MAN.findall(text):
        if title.lower() not in sections(name, number):
            yield f'{name}({number}) has no section "{title}"'
    for word in ELSEWHERE.findall(text):
        yield f"{word} is not in the repository"


def check_page(source, text):
    for _, target in MAKE.findall(text):
        if target not in TARGETS:
            yield f"the Makefile has no target {target}"
    for path in (each for each in TICKED.findall(text) if "<" not in each):
        if not is_there(path, source):
            yield f"there is no {path}"
    for path, anchor in LINK.findall(text):
        if path.startswith(("http:", "https:")):
            continue
        target = source.parent / path
        if not target.exists():
            yield f"the link {path} leads nowhere"
        elif anchor and anchor not in anchors(target):
            yield f"{path} has no heading #{anchor}"


def files():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, listed):
        if name.endswith(SOURCES) and "/corpus/" not in name and (ROOT / name).is_file():
            yield ROOT / name


for source in files():
    if source == pathlib.Path(__file__).resolve():
        continue
    text = source.read_text(errors="replace")
    found = list(check_text(source, plain(text)))
    if source.suffix == ".md":
        found += check_page(source, text)
    problems.extend(f"{source.relative_to(ROOT)}: {each}" for each in found)

print("\n".join(sorted(set(problems))), file=sys.stderr, end="\n" if problems else "")
sys.exit(bool(problems))
