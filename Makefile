# One Makefile, one dependency graph; everything built goes under $(B).
#
#   make                  daemon, client and library, optimised
#   make demo             the whole way once, in a temporary home
#   make test             unit, corpus and end-to-end tests
#   make test-long        a hundred seeds each of the models of watches and of a
#                         fleet, a thousand changes of a dump whose writer is
#                         killed, valgrind, 200 tasks of an agent (the real one, where
#                         CLEARML_AGENT_SRC and CLEARML_SDK_SRC are checkouts)
#   make soak SECONDS=N   everything at once for so long: memory, descriptors
#   make storm SECONDS=N  the same roughly, under AddressSanitizer and UBSan, and
#                         under ThreadSanitizer: five minutes in make test-long
#   make mutants          who catches each of the faults of tests/mutants
#   make threads          what threads share, under ThreadSanitizer
#   make coverage         which lines the tests run, at least COVERAGE percent
#   make valgrind         the daemon's unit tests under it
#   make test-system      with Debian roots of debootstrap's, for who is root
#   make test-real SDK=FOLDER AGENT=FOLDER SERVER=FOLDER
#                         with ClearML's own programs: tests/real/README.md
#   make test-old         the part of it that is about old hosts
#   make SAN=address,undefined test      the same under sanitizers (own $(B))
#   make lint             format, clang-tidy, layering, lengths, man pages
#   make fuzz SECONDS=60  each fuzz target for so long
#   make fuzz-keep        what that has found, minimised, into tests/corpus/fuzz
#   make fuzz-differential SECONDS=60  random texts, as ClearML reads them:
#                         its own parser, if CLEARML_SDK_SRC names a checkout of
#                         its SDK, else a model of its rules
#   make bench            what it costs, as ratios to peers or limits
#   make bench-growth     how that grows with what there is; QUICK=1: small sizes
#   make install DESTDIR=... PREFIX=/usr
#   make deb              Debian packages in $(B)
#   make rpm              RPM packages in $(B), for EL 8, EL 9 and Fedora
#   make wheel            the Python client, for pip, in $(B)
#   make dist             clearconf-VERSION.tar.gz in $(B)
#   make html             the man pages as HTML in $(B)/html
#   make uninstall        what install has put there, settings excepted
#   make capture          the README's picture of a terminal, taken anew
#   make deps-build       install what building needs (Debian packages)
#   make deps             and what tests need; the rest of the above installs
#                         what it needs itself

VERSION := 0.1.0

comma   := ,
SAN     ?=
B       ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
# Where Debian's Python looks: one folder for all of /usr's versions.
PYDIR   ?= $(PREFIX)/lib/python$(if $(filter /usr,$(PREFIX)),3,$(shell \
           $(PYTHON) -c 'print("3.%d" % __import__("sys").version_info[1])' \
           2>/dev/null || echo 3))/dist-packages
LIBDIR  ?= $(PREFIX)/lib
INCDIR  ?= $(PREFIX)/include
SYSCONFDIR ?= /etc
# systemd looks for what is not /usr's under /usr/local/lib too.
UNITDIR ?= $(PREFIX)/lib/systemd
# Where shells look for completions.
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
INSTALL ?= install
OBJCOPY ?= objcopy
PKGCONF ?= pkg-config
PYTHON  := /usr/bin/python3

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
            -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Wswitch-enum \
            -Wimplicit-fallthrough -Wno-missing-field-initializers
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
# inih says where it is from r45 on; before it lies where everything does.
PACKAGED := $(shell $(PKGCONF) --exists inih && echo inih)
MODULES  := libuv libcurl jansson yaml-0.1 $(PACKAGED)
LIBS     := $(if $(PACKAGED),,-linih)

# Debian packages: to build, to test, to lint.
DEPS_BUILD := gcc libc6-dev make pkg-config libuv1-dev libcurl4-openssl-dev libjansson-dev \
              libyaml-dev libinih-dev
DEPS_TEST  := g++ python3 python3-pytest python3-pytest-xdist python3-yaml \
              python3-setuptools python3-wheel \
              libcmocka-dev golang-go \
              golang-github-varlink-go-dev openssl systemd strace \
              python3-prometheus-client python3-jsonschema etcd-server etcd-client
DEPS_DEB   := build-essential debhelper dh-python python3
DEPS_RPM   := rpm python3
DEPS_SYSTEM := debootstrap systemd-container lintian $(DEPS_DEB) $(DEPS_RPM)
DEPS_BENCH := redis-server redis-tools git daemontools runit gettext-base
DEPS_LONG  := valgrind
DEPS_COVERAGE := gcovr
DEPS_LINT  := gcc clang clang-format clang-tidy universal-ctags \
              libclang-rt-dev mandoc mypy

# module_cflags and module_libs, written by $(B)/modules.mk below once the
# packages are there.
include $(if $(filter clean deps deps-build,$(MAKECMDGOALS)),,$(B)/modules.mk)

# For debuggers; what is optimised when it is linked is described then.
here    = -ffile-prefix-map=$(CURDIR)=.
cflags  = -std=c11 -D_GNU_SOURCE -DCLEARCONF_VERSION='"$(VERSION)"' \
          -Iinclude -Idaemon -Idaemon/core -Iclient -I$(B)/gen $(WARNINGS) \
          $(here) \
          $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
          -fno-omit-frame-pointer,$(HARDEN)) $(module_cflags) $(CFLAGS)
ldflags = $(here) $(if $(SAN),-fsanitize=$(SAN),-pie \
          -Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) $(LDFLAGS)

# `make V=1` shows whole commands.
run = $(if $(V),$2,@echo "  $1 $@"; $2)

core_src   := $(wildcard daemon/core/*/*.c)
daemon_src := $(wildcard daemon/*.c \
              $(foreach d,settings config fetch fetch/etcd state site engine serve front,daemon/$(d)/*.c))
lib_src    := $(wildcard client/lib/*.c)
client_src := $(wildcard client/*.c \
              $(foreach d,text call exec commands fleet,client/$(d)/*.c))
test_src   := $(wildcard tests/unit/test_*.c)
test_help  := $(filter-out $(test_src),$(wildcard tests/unit/*.c))
bench_src  := $(wildcard tests/bench/*.c)
load_src   := $(wildcard tests/bench/load/*.c)
pages      := $(wildcard client/*.[1-8] client/*/*.[1-8] daemon/*.[1-8])
fuzz_src   := $(wildcard tests/fuzz/fuzz_*.c)
batch_src  := tests/differential/read_texts.c
# `clearconf` is the name that the module had; the wheel is without it.
python_src := clearconf.py $(patsubst client/python/%,%,$(wildcard client/python/clearml_clearconf/*.py) \
              client/python/clearml_clearconf/py.typed)
# By which pip knows that it is here.
python_info := clearml_clearconf-$(VERSION).dist-info
all_src    := $(core_src) $(daemon_src) $(lib_src) $(client_src) $(test_src) \
              $(test_help) $(bench_src) $(load_src) $(batch_src)

obj         = $(patsubst %.c,$(B)/%.o,$(1))
client_obj := $(filter-out %/main.o,$(call obj,$(client_src)))
daemon_obj := $(filter-out $(B)/daemon/main.o,$(call obj,$(daemon_src)))
tests      := $(patsubst %.c,$(B)/%,$(test_src))
fuzzers    := $(patsubst tests/fuzz/%.c,%,$(fuzz_src))
benches    := $(patsubst %.c,$(B)/%,$(bench_src))
loaders    := $(patsubst %.c,$(B)/%,$(filter-out %/load.c,$(load_src)))
generated  := $(B)/gen/io_clearconf_idl.h $(B)/gen/clearml_keys.h
core       := $(B)/libcore.a
client     := $(B)/libclient.a

all: $(B)/clearconfd $(B)/clearconf $(B)/clearconf-fleet $(B)/libclearconf.so $(B)/libclearconf.a

$(core): $(call obj,$(core_src))
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/clearconfd: $(B)/daemon/main.o $(daemon_obj) $(core)
	$(call run,LD,$(CC) $(ldflags) -o $@ $^ $(module_libs) -lm)

# Of which each of the two programs takes what it needs.
$(client): $(client_obj) $(call obj,$(lib_src))
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/clearconf: $(B)/client/main.o $(client) $(core)
	$(call run,LD,$(CC) $(ldflags) -o $@ $^ $(module_libs) -lm)

$(B)/clearconf-fleet: $(B)/client/fleet/main.o $(client) \
		$(filter $(addprefix $(B)/daemon/,settings/% config/% fetch/%),$(daemon_obj)) \
		$(core)
	$(call run,LD,$(CC) $(ldflags) -o $@ $^ $(module_libs) -lm)

$(B)/libclearconf.so: $(call obj,$(lib_src)) client/lib/libclearconf.sym
	$(CC) $(filter-out -pie,$(ldflags)) -shared \
		-Wl,-soname,libclearconf.so.0 \
		-Wl,--version-script=client/lib/libclearconf.sym \
		-o $@ $(call obj,$(lib_src))

# One object in which only what is marked for the public has a name, as in the
# shared library: `bytes_add` may be a function of the program's own.
$(B)/libclearconf.o: $(call obj,$(lib_src))
	$(CC) -r -nostdlib -o $@ $^
	$(OBJCOPY) --localize-hidden $@

$(B)/libclearconf.a: $(B)/libclearconf.o
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(call obj,$(test_help)) \
		$(daemon_obj) $(client_obj) $(call obj,$(lib_src)) $(core)
	$(call run,LD,$(CC) $(ldflags) -o $@ $^ $(module_libs) -lcmocka -lm)

# Its wrappers make allocations fail.
$(B)/tests/unit/test_lib_memory: ldflags += \
		$(addprefix -Wl$(comma)--wrap=,malloc calloc free)

$(B)/tests/bench/%: $(B)/tests/bench/%.o $(daemon_obj) $(core)
	$(call run,LD,$(CC) $(ldflags) -o $@ $^ $(module_libs) -lm)

# Many texts in one process.
$(B)/read_texts: $(B)/tests/differential/read_texts.o $(core)
	$(call run,LD,$(CC) $(ldflags) -o $@ $^ $(module_libs) -lm)

# The load tools are no part of the house; bare_program is none of ours at all.
$(B)/tests/bench/load/%: $(B)/tests/bench/load/%.o \
		$(B)/tests/bench/load/load.o $(core)
	$(call run,LD,$(CC) $(ldflags) -Wl$(comma)--as-needed -o $@ $^ \
		$(module_libs))

# objcopy sees no names in what is optimised when it is linked.
$(B)/client/lib/%.o: cflags += -fPIC -fvisibility=hidden -fno-lto

# The interface's text as C strings, a line each.
$(B)/gen/io_clearconf_idl.h: include/io.clearconf.varlink
	@mkdir -p $(@D)
	sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $< > $@

# The keys that ClearML knows, as C initialisers: path, type, versions.
$(B)/gen/clearml_keys.h: daemon/core/read/clearml_keys.txt
	@mkdir -p $(@D)
	sed -E 's/^([^ ]+) ([^ ]+) ?(.*)/{"\1", "\2", "\3"},/' $< > $@

$(B)/%.o: %.c Makefile | $(generated)
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(cflags) -MMD -MP -c -o $@ $<)

# --- what the project needs on a machine ------------------------------------

# Goals that may install packages by themselves; the others only say what is
# missing.
installing := $(filter capture deb rpm demo fuzz-differential mutants storm test test-long test-old \
              test-real test-system fuzz bench bench-growth lint ci deps deps-build,$(MAKECMDGOALS))

$(B)/modules.mk: Makefile tests/support/deps.sh
	@mkdir -p $(@D)
	@tests/support/deps.sh $(if $(installing),install,check) \
		$(DEPS_BUILD)
	@echo "module_cflags := $$($(PKGCONF) --cflags $(MODULES))" > $@
	@echo "module_libs := $$($(PKGCONF) --libs $(MODULES)) $(LIBS)" >> $@

# What each needs besides what building does.
deps:          needs = $(DEPS_TEST) $(DEPS_LONG) $(DEPS_LINT)
deps-bench:    needs = $(DEPS_TEST) $(DEPS_BENCH)
deps-build:    needs =
deps-coverage: needs = $(DEPS_TEST) $(DEPS_COVERAGE)
deps-deb:      needs = $(DEPS_DEB)
deps-demo:     needs = python3
deps-lint:     needs = $(DEPS_LINT)
deps-long:     needs = $(DEPS_TEST) $(DEPS_LONG)
deps-rpm:      needs = $(DEPS_RPM)
deps-system:   needs = $(DEPS_TEST) $(DEPS_SYSTEM)
deps-test:     needs = $(DEPS_TEST)

deps deps-bench deps-build deps-coverage deps-deb deps-demo deps-lint deps-long deps-rpm deps-test:
	@tests/support/deps.sh install $(DEPS_BUILD) $(needs)

# Who is not root skips the tests of the system, and needs nothing for them.
deps-system:
	@[ "$$(id -u)" != 0 ] || tests/support/deps.sh install $(DEPS_BUILD) $(needs)

# --- proofs -----------------------------------------------------------------

test: deps-test all $(tests) $(B)/read_texts
	@B=$(B) SAN=$(SAN) $(PYTHON) tests/support/run_tests.py $(tests)

# The same worlds as in test_watch_model.py, a hundred of them; the same dumps
# as in test_dump_reader.py, a thousand of them.
SEEDS ?= 1-100
test-long: deps-long all $(loaders) threads sanitized
	@B=$(B) SAN=$(SAN) SEEDS=$(SEEDS) TESTS=tests/long \
		$(PYTHON) tests/support/run_tests.py

# What more than one thread has a hand in, under ThreadSanitizer: the library,
# work off the loop, masks.
THREADED := $(filter test_lib_% test_secret% test_mask test_offload test_pending test_notice_job test_snapshot_query test_server test_cache \
            test_generation test_chosen test_known test_history test_history_store test_change_log test_disk test_active_workspace test_hold%,\
            $(notdir $(basename $(test_src))))
threads: deps-test
	@$(MAKE) B=build/thread SAN=thread all \
		$(addprefix build/thread/tests/unit/,$(THREADED))
	@B=build/thread SAN=thread \
		TSAN_OPTIONS="die_after_fork=0 suppressions=$(CURDIR)/tests/support/tsan.supp" \
		TESTS="$(addprefix tests/e2e/test_,large_queries.py cache.py masking.py)" \
		$(PYTHON) tests/support/run_tests.py \
		$(addprefix build/thread/tests/unit/,$(THREADED))

# What is under sanitizers, each in a folder of its own.
sanitized: deps-test
	@$(MAKE) B=build-address-undefined SAN=address,undefined all
	@$(MAKE) B=build/thread SAN=thread all

storm: sanitized
	@for each in build-address-undefined build/thread; do \
		B=$$each TSAN_OPTIONS="exitcode=0 die_after_fork=0 suppressions=$(CURDIR)/tests/support/tsan.supp" \
			$(PYTHON) tests/support/storm.py $(SECONDS) & jobs="$$jobs $$!"; \
	done; status=0; for job in $$jobs; do wait $$job || status=1; done; exit $$status

soak: deps-test all
	@B=$(B) $(PYTHON) tests/long/soak.py $(SECONDS)

# Planted faults: who catches each? See tests/mutants.
mutants: deps-long
	@CC="$(CC)" $(PYTHON) tests/mutants/mutants.py

valgrind: deps-long all $(tests)
	@B=$(B) tests/long/valgrind.sh $(tests)

# Of the daemon and the library. Whether the tests pass is for make test to say:
# who runs as another user cannot write down what was run, and complains of it.
COVERAGE ?= 90
coverage: deps-coverage
	-$(MAKE) B=build/coverage CFLAGS='-Og -g --coverage' LDFLAGS=--coverage test
	gcovr --root . --object-directory build/coverage --filter daemon/ \
		--filter client/lib/ --sort-percentage \
		--fail-under-line $(COVERAGE)

# Roots of Debian's, kept in build/roots: one boots with the package, in others
# it is installed, upgraded and purged, or their programs speak with ours.
test-system: deps-system deb
	@B=$(B) WORKERS=0 TESTS=tests/system $(PYTHON) tests/support/run_tests.py

# Of these what is about old hosts: on Debian 11, and with the libraries that
# OLD_SOURCES holds (tests/system/old_libraries.sh).
test-old: deps-system
	@mkdir -p $(B)
	@B=$(B) WORKERS=0 TESTS=tests/system/test_old.py $(PYTHON) tests/support/run_tests.py

# ClearML's own programs: see tests/real/README.md.
test-real: export CLEARML_SDK_SRC = $(SDK)
test-real: export CLEARML_AGENT_SRC = $(AGENT)
test-real: export CLEARML_SERVER_SRC = $(SERVER)
test-real: export CLEARML_SERVER_URL = $(SERVER_URL)
test-real: export CLEARML_SERVER_ACCESS_KEY = $(SERVER_ACCESS_KEY)
test-real: export CLEARML_SERVER_SECRET_KEY = $(SERVER_SECRET_KEY)
test-real: deps-test all $(B)/read_texts
	@B=$(B) TESTS="tests/real $(addprefix tests/e2e/test_,layer_order.py python_process.py print_check.py)" \
		$(PYTHON) tests/support/run_tests.py
	@[ -z "$(SDK)" ] || $(PYTHON) tests/differential/compare.py $(B)/read_texts --seconds 60

demo: deps-demo all
	@B=$(B) $(PYTHON) tests/support/demo.py

capture: deps-demo all
	@B=$(B) $(PYTHON) tests/support/capture.py client/doc/session.svg

# Each target for SECONDS, two at a time, seeded from the corpus; what it finds
# stays in build/fuzz/crashes.
SECONDS ?= 60
fuzz: deps-lint
	$(MAKE) CC=clang B=build/fuzz SAN=address,undefined,fuzzer-no-link \
		$(addprefix build/fuzz/,$(fuzzers))
	tests/fuzz/run.sh $(SECONDS) $(fuzzers)

# What the last runs have found, minimised, into tests/corpus/fuzz.
fuzz-keep:
	tests/fuzz/keep.py $(fuzzers)

fuzz-differential: deps-test $(B)/read_texts
	@$(PYTHON) tests/differential/compare.py $(B)/read_texts \
		--seconds $(SECONDS)

# Their wrappers count the memory that comes from mem_map.
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(daemon_obj) \
		$(call obj,$(lib_src)) $(client) $(core)
	$(CC) $(subst fuzzer-no-link,fuzzer,$(ldflags)) \
		$(addprefix -Wl$(comma)--wrap=mem_,map unmap) -o $@ $^ \
		$(module_libs) -lm

bench: deps-bench all $(benches) $(loaders)
	@B=$(B) tests/bench/run.sh

bench-growth: deps-test all
	@B=$(B) $(PYTHON) tests/bench/growth.py $(if $(QUICK),--quick)

lint: deps-lint $(generated) all
	clang-format --dry-run -Werror \
		$$(find daemon client include tests -name '*.[ch]')
	tests/lint/tidy.sh $(all_src) -- $(filter-out -MMD -MP,$(cflags))
	tests/lint/layers.sh
	$(PYTHON) tests/lint/walks.py
	$(PYTHON) tests/mutants/mutants.py --check
	$(PYTHON) tests/fuzz/seed.py $(B)/fuzz/seeds
	$(PYTHON) tests/lint/skips.py
	$(PYTHON) tests/lint/workflow.py
	tests/lint/lengths.sh
	$(PYTHON) tests/lint/pages.py $(B)
	$(PYTHON) tests/lint/interface.py
	$(PYTHON) tests/lint/references.py
	for system in linux darwin; do \
		mypy --strict --python-version 3.8 --platform $$system \
			--cache-dir $(B)/mypy client/python/clearml_clearconf || exit; \
	done

install: all installed-units
	$(INSTALL) -D -m 755 $(B)/clearconfd $(DESTDIR)$(SBINDIR)/clearconfd
	$(INSTALL) -D -m 755 $(B)/clearconf $(DESTDIR)$(BINDIR)/clearconf
	$(INSTALL) -D -m 755 $(B)/clearconf-fleet \
		$(DESTDIR)$(BINDIR)/clearconf-fleet
	$(INSTALL) -D -m 755 $(B)/libclearconf.so \
		$(DESTDIR)$(LIBDIR)/libclearconf.so.$(VERSION)
	ln -sf libclearconf.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libclearconf.so.0
	ln -sf libclearconf.so.0 $(DESTDIR)$(LIBDIR)/libclearconf.so
	$(INSTALL) -D -m 644 $(B)/libclearconf.a \
		$(DESTDIR)$(LIBDIR)/libclearconf.a
	$(INSTALL) -D -m 644 client/lib/clearconf.pc.in \
		$(DESTDIR)$(LIBDIR)/pkgconfig/clearconf.pc
	sed -i -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCDIR@|$(INCDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		$(DESTDIR)$(LIBDIR)/pkgconfig/clearconf.pc
	for file in $(python_src); do \
		$(INSTALL) -D -m 644 client/python/$$file \
			$(DESTDIR)$(PYDIR)/$$file || exit; \
	done
	$(INSTALL) -D -m 644 /dev/null $(DESTDIR)$(PYDIR)/$(python_info)/METADATA
	printf 'Metadata-Version: 2.1\nName: clearml-clearconf\nVersion: $(VERSION)\n' \
		>$(DESTDIR)$(PYDIR)/$(python_info)/METADATA
	$(INSTALL) -D -m 644 include/clearconf.h \
		$(DESTDIR)$(INCDIR)/clearconf.h
	$(INSTALL) -D -m 644 include/io.clearconf.varlink \
		$(DESTDIR)$(PREFIX)/share/varlink/io.clearconf.varlink
	for program in clearconf clearconfd; do \
		$(INSTALL) -D -m 644 client/completion/$$program.bash \
			$(DESTDIR)$(BASHDIR)/$$program && \
		$(INSTALL) -D -m 644 client/completion/_$$program \
			$(DESTDIR)$(ZSHDIR)/_$$program && \
		$(INSTALL) -D -m 644 client/completion/$$program.fish \
			$(DESTDIR)$(FISHDIR)/$$program.fish || exit; \
	done
	for page in $(pages); do \
		$(INSTALL) -D -m 644 $$page \
			$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit; \
	done
	for unit in $(units); do \
		$(INSTALL) -D -m 644 $(B)/systemd/$$unit \
			$(DESTDIR)$(UNITDIR)/$$unit || exit; \
	done
	$(INSTALL) -D -m 644 systemd/sysusers.conf \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/clearconf.conf
	$(INSTALL) -D -m 644 systemd/tmpfiles.conf \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/clearconf.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/clearconf/clearconfd.conf ] || \
		$(INSTALL) -D -m 644 systemd/clearconfd.conf \
		$(DESTDIR)$(SYSCONFDIR)/clearconf/clearconfd.conf

# What install would put there; settings stay, they are the administrator's.
uninstall:
	rm -rf $(B)/installed
	@$(MAKE) install DESTDIR=$(abspath $(B)/installed) >/dev/null
	cd $(B)/installed && find . ! -type d ! -path '.$(SYSCONFDIR)/*' | sed 's,^\.,,' | \
		while read -r file; do rm -f "$(DESTDIR)$$file"; done
	rm -rf $(DESTDIR)$(PYDIR)/clearml_clearconf $(DESTDIR)$(PYDIR)/$(python_info)

# The units name the programs where they are installed to.
units := $(patsubst systemd/%,system/%,$(wildcard systemd/*.service systemd/*.socket)) \
         $(patsubst systemd/%,%,$(wildcard systemd/user/*))

installed-units:
	@mkdir -p $(B)/systemd/system $(B)/systemd/user
	@for unit in $(units); do \
		sed -e 's,/usr/sbin/clearconfd,$(SBINDIR)/clearconfd,' \
		    -e 's,/usr/bin/clearconf,$(BINDIR)/clearconf,' \
		    systemd/$${unit#system/} > $(B)/systemd/$$unit || exit; \
	done

# --- packages ---------------------------------------------------------------

# Built in a copy of this tree, each by its own rules and flags: the same source
# gives the same packages, wherever it lies.
deb: deps-deb
	@CC="$(CC)" systemd/deb/deb.sh $(B)

rpm: deps-rpm
	@CC="$(CC)" systemd/rpm/rpm.sh $(VERSION) $(B)

# For any Python and system: nothing of it is compiled. Of a copy, because
# setuptools writes beside what it reads.
wheel:
	rm -rf $(B)/wheel
	mkdir -p $(B)/wheel
	cp -R client/python/README.md client/python/pyproject.toml \
		client/python/clearml_clearconf $(B)/wheel
	cd $(B)/wheel && SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git -C $(CURDIR) \
		log -1 --format=%ct 2>/dev/null || stat -c %Y $(CURDIR)/Makefile)} \
		$(PYTHON) -W ignore -c 'from setuptools import build_meta; \
		build_meta.build_wheel("$(abspath $(B))")' >/dev/null

# What is committed, nothing else.
dist:
	@mkdir -p $(B)
	git archive --format=tar --prefix=clearconf-$(VERSION)/ HEAD | \
		gzip -9n > $(B)/clearconf-$(VERSION).tar.gz

# The man pages as HTML, which lead to one another.
html:
	@tests/support/deps.sh install mandoc
	@mkdir -p $(B)/html
	@for page in $(pages); do \
		mandoc -T html -O man=%N.%S.html $$page \
			> $(B)/html/$${page##*/}.html || exit; \
	done
	@echo "$(B)/html/clearconf.1.html"

clean:
	rm -rf --one-file-system build build-*

.PHONY: all bench bench-growth capture clean coverage deb demo deps deps-bench \
        deps-build deps-coverage deps-deb deps-demo deps-lint deps-long \
        deps-rpm deps-system deps-test dist fuzz fuzz-differential fuzz-keep \
        html install installed-units lint mutants rpm sanitized soak storm \
        test test-long test-old test-real test-system threads uninstall \
        valgrind wheel
.DELETE_ON_ERROR:
.SECONDARY:
-include $(patsubst %.c,$(B)/%.d,$(all_src) $(fuzz_src))
