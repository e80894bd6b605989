"""libclearconf as a stranger's program meets it: installed, found by
pkg-config, in C and C++, shared and static, from several threads."""

import os
import re
import shutil
import subprocess

import pytest
from harness import BUILD, DEADLINE, ROOT, Daemon

PAGE = ROOT / "client/lib/libclearconf.3"
HEADER = ROOT / "include/clearconf.h"
SYMBOLS = ROOT / "client/lib/libclearconf.sym"
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """What `make install` installs, below a folder."""
    folder = tmp_path_factory.mktemp("stage")
    subprocess.run(["make", "-s", "-C", ROOT, f"B={os.path.relpath(BUILD, ROOT)}",
                    f"DESTDIR={folder}",
                    f"SAN={os.environ.get('SAN', '')}", "PREFIX=/usr", "install"],
                   check=True, timeout=600)
    return folder


@pytest.fixture
def build(stage, tmp_path):
    """build(text, ...): compile a program against the stage; its path."""
    env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(stage),
               PKG_CONFIG_LIBDIR=str(stage / "usr/lib/pkgconfig"))

    def flags(*arguments):
        return subprocess.run(["pkg-config", *arguments, "clearconf"], env=env, check=True,
                              capture_output=True, text=True).stdout.split()

    def compile_it(text, name="example.c", compiler=("gcc", "-std=c11"), static=False):
        if os.environ.get("SAN"):
            compiler += (f"-fsanitize={os.environ['SAN']}",)
        source, program = tmp_path / name, tmp_path / "program"
        source.write_text(text)
        libraries = flags("--libs")
        if static:
            libraries = [str(stage / "usr/lib/libclearconf.a")]
        subprocess.run([*compiler, *STRICT, *flags("--cflags"), source, "-o", program,
                        *libraries, "-pthread"], check=True, timeout=120)
        return program
    return compile_it


@pytest.fixture
def run(stage, home):
    def start(program, *arguments):
        env = dict(home.env, LD_LIBRARY_PATH=str(stage / "usr/lib"))
        return subprocess.Popen([program, *map(str, arguments)], env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return start


def page_example():
    """The program of the man page, as a reader sees it."""
    text = PAGE.read_text().split(".Sh EXAMPLES")[1]
    text = text.split(".Bd -literal\n")[1].split(".Ed")[0]
    return text.replace("\\e", "\\").replace("\\&", "")


def header_example():
    text = HEADER.read_text().split(" * Example:\n")[1].split(" */")[0]
    return re.sub(r"^ \*\t?", "", text, flags=re.M)


@pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
def test_the_pages_example(build, run, home, daemon, static):
    home.conf("agent.worker_name = gpu\n")
    daemon.start()
    process = run(build(page_example(), static=static))
    try:
        assert process.stdout.readline() == "worker gpu\n"
        assert '"value":{"agent.worker_name":"gpu"}' in process.stdout.readline()
        home.conf("agent.worker_name = cpu\n")
        assert '"new":"cpu"' in process.stdout.readline()
        daemon.stop()
        assert "the daemon closed the connection" in process.stderr.readline()
        home.conf("agent.worker_name = night\n")
        with Daemon(home):
            assert '"agent.worker_name":"night"' in process.stdout.readline()
    finally:
        process.terminate()
        process.wait(DEADLINE)


def test_the_pages_example_without_a_daemon(build, run, home):
    process = run(build(page_example()))
    assert process.wait(DEADLINE) == 1
    assert process.stderr.read().startswith("no daemon: there is no socket")


def test_the_pages_example_without_the_key(build, run, home, daemon):
    home.conf("a = 1\n")
    daemon.start()
    process = run(build(page_example()))
    try:
        assert process.stdout.readline() == "worker none\n"
    finally:
        process.terminate()
        process.wait(DEADLINE)


@pytest.mark.parametrize("name, compiler", [
    ("example.c", ("gcc", "-std=c99")),
    ("example.cc", ("g++", "-std=c++11")),
])
def test_the_headers_example(build, run, home, daemon, name, compiler):
    if not shutil.which(compiler[0]):
        pytest.skip(f"{compiler[0]} is not installed")
    home.conf("agent.worker_name = box\n")
    daemon.start()
    process = run(build(header_example(), name=name, compiler=compiler))
    assert process.wait(DEADLINE) == 0
    assert process.stdout.read() == "box\n"


def test_the_readmes_example(build, run, home, daemon):
    text = (ROOT / "README.md").read_text().split("## From a program")[1]
    body = text.split("```c\n")[1].split("```")[0]
    home.conf("agent.force_git_ssh_port = 4\n")
    daemon.start()
    process = run(build("#include <clearconf.h>\n#include <stdio.h>\nint main(void)\n{\n" + body +
                        '\tprintf("%d\\n", (int)port);\n}\n'))
    assert process.wait(DEADLINE) == 0
    assert process.stdout.read() == "4\n"


def declared():
    """The functions of the header, comments aside."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    return set(re.findall(r"\b(clearconf_\w+)\(", text))


def exported(*command):
    """{name: version} of the symbols that a library defines for others."""
    text = subprocess.run(["nm", "--defined-only", *command], check=True,
                          capture_output=True, text=True).stdout
    names = re.findall(r"^[0-9a-f]+ [TDBRVW] (\w+)(?:@@(\w+))?$", text, flags=re.M)
    return {name: version for name, version in names
            if not name.startswith(("__asan", "_asan", "__odr_asan"))}


def test_exported_is_what_is_declared(stage):
    sym = SYMBOLS.read_text()
    version = sym.split()[0]
    listed = set(re.findall(r"^\t(clearconf_\w+);$", sym, flags=re.M))
    assert listed == declared()
    shared = exported("-D", "--with-symbol-versions", stage / "usr/lib/libclearconf.so")
    shared.pop(version, None)
    assert shared == dict.fromkeys(listed, version)
    assert set(exported("-g", stage / "usr/lib/libclearconf.a")) == listed


def test_the_page_tells_every_function():
    assert set(re.findall(r"^\.Fn (clearconf_\w+)", PAGE.read_text(), flags=re.M)) == declared()


def test_the_library_needs_libc_alone(stage):
    text = subprocess.run(["objdump", "-p", stage / "usr/lib/libclearconf.so.0"], check=True,
                          capture_output=True, text=True).stdout
    needed = {n for n in re.findall(r"NEEDED +(\S+)", text) if "san" not in n}
    assert needed <= {"libc.so.6", "libm.so.6"}
    assert re.search(r"SONAME +libclearconf\.so\.0", text)


def test_no_state_is_shared(stage):
    """Nothing of the library's own can be written to, but the handles."""
    text = subprocess.run(["objdump", "-t", stage / "usr/lib/libclearconf.a"],
                          check=True, capture_output=True, text=True).stdout
    objects = re.findall(r"^[0-9a-f]+ .{6}O (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$", text,
                         flags=re.M)
    assert objects, "not even tables?"
    assert [name for section, name in objects
            if not section.startswith((".rodata", ".data.rel.ro"))
            and "san" not in name and "odr" not in name] == []


def test_threads(tmp_path, home, daemon):
    """A handle and a watch each, in eight threads under ThreadSanitizer."""
    home.conf("a { b = 1, text = x }\n")
    daemon.start()
    program = tmp_path / "threads"
    sources = sorted((ROOT / "client/lib").glob("*.c"))
    built = subprocess.run(
        ["gcc", "-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-fsanitize=thread",
         f"-I{ROOT}/include", ROOT / "tests/interop/threads.c", *sources, "-o", program,
         "-pthread"], capture_output=True, text=True, timeout=240)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program, home.socket], env=home.env, capture_output=True,
                          text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
