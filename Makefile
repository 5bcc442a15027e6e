# SPDX-License-Identifier: MIT
#
# git-rollback's build: one non-recursive makefile for GNU make.
#
#   make                    everything that can be run, in build/bin
#   make test               the whole test suite; installs what is missing first
#   make demo               a session on a throw-away database; the same
#   make install            to $(prefix), with the manual pages
#
# A command is one file, cmd/git-NAME.c; a module of the library is common/*/NAME.c; a unit test is
# t/unit/NAME.c; a fuzz target is t/fuzz/NAME.c; a manual page is man/NAME.adoc. All of them are
# found by looking: a new one needs no edit here.
#
# Variables: V=1 shows the commands, DEVELOPER=1 makes warnings errors, BUILD=<folder> builds
# elsewhere, SAN=1 and COVERAGE=1 instrument (use them with a BUILD of their own, as check-san and
# coverage do). TESTS='t1000*' and PROVE_OPTS=-v reach t/run.

VERSION = 0.1.0

prefix = /usr/local
bindir = $(prefix)/bin
datadir = $(prefix)/share
mandir = $(datadir)/man
completiondir = $(datadir)/bash-completion/completions
DESTDIR =

BUILD = build
PKG_CONFIG = pkg-config
ASCIIDOCTOR = asciidoctor
CLANG = clang
INSTALL = install
FUZZ_SECONDS = 10
TESTS =
PROVE_OPTS =

# The first rule's target is the default one, and rules come in with the .d files: say it outright.
.DEFAULT_GOAL = all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# ---- What there is -------------------------------------------------------------------------------

COMMON_SRC := $(sort $(wildcard common/*.c common/*/*.c))
CMD_SRC := $(sort $(wildcard cmd/git-*.c))
UNIT_SRC := $(sort $(wildcard t/unit/*.c))
FUZZ_SRC := $(sort $(wildcard t/fuzz/*.c))
MAN1_SRC := $(sort $(wildcard man/git-*.adoc))
MAN5_SRC := $(filter-out $(MAN1_SRC),$(sort $(wildcard man/*.adoc)))
COMPLETION := $(sort $(wildcard contrib/completion/*))
HEADERS := $(sort $(wildcard common/*.h common/*/*.h))
SCRIPTS := $(sort $(wildcard t/*.sh t/run t/perf/*.sh contrib/*/*.sh contrib/hooks/* .ci/run))

LIB = $(BUILD)/librollback.a
COMMON_OBJ := $(COMMON_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
UNIT_OBJ := $(UNIT_SRC:%.c=$(BUILD)/%.o)
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(BUILD)/%.o)
PROGRAMS := $(CMD_SRC:cmd/%.c=$(BUILD)/bin/%)
UNITS := $(UNIT_SRC:%.c=$(BUILD)/%)
FUZZERS := $(FUZZ_SRC:%.c=$(BUILD)/%)
MAN_PAGES := $(MAN1_SRC:man/%.adoc=$(BUILD)/man/%.1) $(MAN5_SRC:man/%.adoc=$(BUILD)/man/%.5)

# ---- How it is compiled --------------------------------------------------------------------------

ifeq ($(origin CC),default)
CC = gcc
endif
IS_CLANG := $(findstring clang,$(shell $(CC) --version 2>/dev/null))

ifdef SAN
CFLAGS = -O1 -g
else ifdef COVERAGE
CFLAGS = -O0 -g
else
CFLAGS = -O2 -g
endif
CPPFLAGS =
LDFLAGS =

WARNINGS = -Wall -Wextra -Wpedantic -Wformat=2 -Wundef -Wvla -Wpointer-arith -Wwrite-strings \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wimplicit-fallthrough \
	-Wshadow -Wconversion -Wcast-qual -Wno-missing-field-initializers
ifdef IS_CLANG
WARNINGS += -Wcomma -Wunreachable-code
else
WARNINGS += -Wjump-misses-init -Wduplicated-cond -Wduplicated-branches -Wlogical-op
endif
ifndef SAN
# The checks that UBSan adds look like null dereferences to the optimiser.
WARNINGS += -Wnull-dereference
endif
ifdef DEVELOPER
WARNINGS += -Werror
endif

# libpq and libprotobuf-c give headers only: libpq.so.5 is loaded by the first connection (starting
# without it is 3 ms faster), and libprotobuf-c's code is inside libpg_query.a. libpg_query has no
# .pc file, and is linked statically because its shared library's name changes with each release.
LINKED_PKGS = inih jansson libcmark libgit2 libzstd nettle
HEADER_PKGS = libpq libprotobuf-c
LIB_CFLAGS := $(patsubst -I%,-isystem %,\
	$(shell $(PKG_CONFIG) --cflags $(LINKED_PKGS) $(HEADER_PKGS) 2>/dev/null))
LINKED_LIBS := $(shell $(PKG_CONFIG) --libs $(LINKED_PKGS) 2>/dev/null)
CMOCKA_LIBS := $(if $(UNIT_SRC),$(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null))
PG_QUERY_LIBS = -Wl,-Bstatic -lpg_query -Wl,-Bdynamic -Wl,--exclude-libs,libpg_query.a
LIBS = $(PG_QUERY_LIBS) $(LINKED_LIBS) -ldl -lm

HARDEN_CFLAGS = -fPIE -fstack-protector-strong
HARDEN_LDFLAGS = -pie -Wl,-z,relro,-z,now
ifndef SAN
# FORTIFY_SOURCE needs an optimiser, and hides bugs from the sanitizers.
ifneq ($(filter-out -O0,$(filter -O%,$(CFLAGS))),)
HARDEN_CFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif

ifdef SAN
MODE_FLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ifdef COVERAGE
MODE_FLAGS += --coverage
endif
ifdef FUZZ
MODE_FLAGS += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
endif

COMPILE = $(CC) -std=c11 -D_GNU_SOURCE -Icommon $(LIB_CFLAGS) -DROLLBACK_VERSION='"$(VERSION)"' \
	$(WARNINGS) $(HARDEN_CFLAGS) $(MODE_FLAGS) -pthread $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(HARDEN_LDFLAGS) $(MODE_FLAGS) -pthread -Wl,--as-needed $(CFLAGS) $(LDFLAGS)

ifndef V
QUIET_CC = @echo '  CC      $<';
QUIET_LINK = @echo '  LINK    $@';
QUIET_AR = @echo '  AR      $@';
QUIET_MAN = @echo '  MAN     $@';
QUIET_FUZZ = @echo '  FUZZ    $<';
endif

# ---- Programs ------------------------------------------------------------------------------------

# A program whose source is gone would still be found in PATH, or be run as a test.
STRAYS := $(filter-out $(PROGRAMS),$(wildcard $(BUILD)/bin/git-*)) \
	$(filter-out $(UNITS) %.o %.d %.gcno %.gcda,$(wildcard $(BUILD)/t/unit/*))

.PHONY: all
all: $(PROGRAMS)
	$(if $(strip $(STRAYS)),@rm -f $(STRAYS))

# What the objects were made with, and from which sources the library was. Both are compared while
# this file is read, so that an unchanged tree starts no process for it.
FLAGS_NOW := $(COMPILE) $(LINK) $(LIBS)
ifneq ($(strip $(FLAGS_NOW)),$(strip $(file <$(BUILD)/.flags)))
.PHONY: $(BUILD)/.flags
endif
$(BUILD)/.flags:
	@mkdir -p $(@D) && printf '%s\n' '$(subst ','\'',$(strip $(FLAGS_NOW)))' >$@

ifneq ($(COMMON_SRC),$(strip $(file <$(BUILD)/.sources)))
.PHONY: $(BUILD)/.sources
endif
$(BUILD)/.sources:
	@mkdir -p $(@D) && echo '$(COMMON_SRC)' >$@

# Before the first file is compiled: is everything there? What is not is named with its package.
$(BUILD)/.deps: contrib/packaging/deps.sh
	@CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' contrib/packaging/deps.sh --check build
	@mkdir -p $(@D) && touch $@

# Objects need the stamp to exist, not to be older: an edit of deps.sh compiles nothing again.
$(BUILD)/%.o: %.c $(BUILD)/.flags | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(QUIET_CC)$(COMPILE) -MMD -MP -c -o $@ $<

# Made anew, so that the object of a source that is gone goes too; by appending, so that two folders
# may have a file of the same name.
$(LIB): $(COMMON_OBJ) $(BUILD)/.sources
	$(QUIET_AR)rm -f $@ && $(AR) qcs $@ $(COMMON_OBJ)

# main() is in the library; it comes in because the C start-up file asks for it.
$(PROGRAMS): $(BUILD)/bin/%: $(BUILD)/cmd/%.o $(LIB) $(BUILD)/.flags
	@mkdir -p $(@D)
	$(QUIET_LINK)$(LINK) -o $@ $< $(LIB) $(LIBS)

# A unit program brings its own main(). Each function __wrap_NAME that it defines takes the place of
# NAME everywhere in the program.
WRAPS = $$(sed -n 's/.*\b__wrap_\([A-Za-z0-9_]*\).*/-Wl,--wrap=\1/p' $(<:$(BUILD)/%.o=%.c) | sort -u)
$(UNITS): $(BUILD)/t/unit/%: $(BUILD)/t/unit/%.o $(LIB) $(BUILD)/.flags
	$(QUIET_LINK)$(LINK) $(WRAPS) -o $@ $< $(LIB) $(LIBS) $(CMOCKA_LIBS)

$(FUZZERS): $(BUILD)/t/fuzz/%: $(BUILD)/t/fuzz/%.o $(LIB) $(BUILD)/.flags
	$(QUIET_LINK)$(LINK) -fsanitize=fuzzer -o $@ $< $(LIB) $(LIBS)

-include $(COMMON_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) $(FUZZ_OBJ:.o=.d)

# ---- Manual pages --------------------------------------------------------------------------------

.PHONY: man
man: $(MAN_PAGES)

MAKE_MAN = $(ASCIIDOCTOR) -b manpage --failure-level=WARN -a reproducible \
	-a manmanual='git-rollback manual' -a mansource='git-rollback $(VERSION)' -o $@ $<
$(BUILD)/man/%.1: man/%.adoc
	@mkdir -p $(@D)
	$(QUIET_MAN)$(MAKE_MAN)
$(BUILD)/man/%.5: man/%.adoc
	@mkdir -p $(@D)
	$(QUIET_MAN)$(MAKE_MAN)

# ---- Install -------------------------------------------------------------------------------------

.PHONY: install install-files uninstall
install: all man
	$(INSTALL_FILES)

# What is there, whichever way it was built.
install-files:
	$(INSTALL_FILES)

define INSTALL_FILES
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(mandir)/man5'
	$(if $(PROGRAMS),$(INSTALL) -m 755 $(PROGRAMS) '$(DESTDIR)$(bindir)')
	$(if $(filter %.1,$(MAN_PAGES)),\
		$(INSTALL) -m 644 $(filter %.1,$(MAN_PAGES)) '$(DESTDIR)$(mandir)/man1')
	$(if $(filter %.5,$(MAN_PAGES)),\
		$(INSTALL) -m 644 $(filter %.5,$(MAN_PAGES)) '$(DESTDIR)$(mandir)/man5')
	$(if $(COMPLETION),$(INSTALL) -d '$(DESTDIR)$(completiondir)')
	$(if $(COMPLETION),$(INSTALL) -m 644 $(COMPLETION) '$(DESTDIR)$(completiondir)')
endef

INSTALLED = $(PROGRAMS:$(BUILD)/bin/%='$(DESTDIR)$(bindir)/%') \
	$(patsubst $(BUILD)/man/%,'$(DESTDIR)$(mandir)/man1/%',$(filter %.1,$(MAN_PAGES))) \
	$(patsubst $(BUILD)/man/%,'$(DESTDIR)$(mandir)/man5/%',$(filter %.5,$(MAN_PAGES))) \
	$(COMPLETION:contrib/completion/%='$(DESTDIR)$(completiondir)/%')
uninstall:
	rm -f $(INSTALLED)

# ---- First commands in a fresh clone -------------------------------------------------------------

# What pkg-config said when this file was read is stale once deps has installed something, so the
# work is done by a make that reads it again.
AGAIN = +@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null))
DEPS = @CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' contrib/packaging/deps.sh

.PHONY: deps demo test check check-san coverage fuzz
deps:
	$(DEPS) test

demo:
	$(DEPS) demo
	$(AGAIN) all
	@BUILD='$(BUILD)' contrib/demo/demo.sh

test:
	$(DEPS) test
	$(AGAIN) check

# The suite alone, for who knows that everything is there.
check: all $(UNITS)
	@BUILD='$(BUILD)' t/run $(PROVE_OPTS) $(TESTS)

check-san:
	$(DEPS) test
	$(AGAIN) BUILD=$(BUILD)-san SAN=1 check

# ---- Quality -------------------------------------------------------------------------------------

coverage:
	$(DEPS) test coverage
	@rm -rf $(BUILD)-cov/coverage.info
	@test ! -d $(BUILD)-cov || find $(BUILD)-cov -name '*.gcda' -delete
	$(AGAIN) BUILD=$(BUILD)-cov COVERAGE=1 check
	@echo '  LCOV    $(BUILD)-cov/coverage.info'
	@(lcov --quiet --capture --directory $(BUILD)-cov --base-directory . --no-external \
		--output-file $(BUILD)-cov/coverage.info && \
	lcov --quiet --extract $(BUILD)-cov/coverage.info '*/common/*' '*/cmd/*' \
		--output-file $(BUILD)-cov/coverage.info) 2>$(BUILD)-cov/lcov.log || \
		{ cat $(BUILD)-cov/lcov.log >&2; exit 1; }
	@lcov --list $(BUILD)-cov/coverage.info
	@lcov --summary $(BUILD)-cov/coverage.info

fuzz:
	$(DEPS) fuzz
	$(AGAIN) BUILD=$(BUILD)-fuzz CC=$(CLANG) FUZZ=1 CFLAGS='-O1 -g' run-fuzzers

# One after the other would be slow; each target keeps what it finds in a corpus of its own, and
# starts from t/fuzz/corpus/NAME when there is one.
.PHONY: run-fuzzers $(FUZZERS:%=%.run)
run-fuzzers: $(FUZZERS:%=%.run)
$(FUZZERS:%=%.run): %.run: %
	@mkdir -p $<.corpus $<.found
	$(QUIET_FUZZ)$< -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=0 \
		-artifact_prefix=$<.found/ $<.corpus $(wildcard t/fuzz/corpus/$(notdir $*)) \
		>$<.log 2>&1 || { cat $<.log; exit 1; }

.PHONY: lint lint-deps lint-cppcheck lint-tidy lint-format lint-shell lint-man format
lint: lint-cppcheck lint-tidy lint-format lint-shell lint-man
lint-cppcheck lint-tidy lint-format lint-shell lint-man: lint-deps
lint-deps:
	$(DEPS) lint

C_FILES = $(COMMON_SRC) $(CMD_SRC) $(UNIT_SRC) $(FUZZ_SRC)

# cppcheck takes each variable with a cleanup attribute for a leak: LeakSanitizer is the judge. NULL is
# a pointer in POSIX, so it may end a list of arguments.
CPPCHECK = cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	--cppcheck-build-dir=$(BUILD)/cppcheck -j $(shell nproc 2>/dev/null || echo 1) \
	--enable=warning,performance,portability --suppress=memleak --suppress=resourceLeak \
	--suppress=varFuncNullUB --suppress=missingInclude --suppress=missingIncludeSystem \
	-D_GNU_SOURCE -DROLLBACK_VERSION='"$(VERSION)"' -Icommon \
	'-Djson_array_foreach(a,i,v)=while ((v = json_array_get(a, i = 0)))'
lint-cppcheck:
	@echo '  LINT    cppcheck'
	@mkdir -p $(BUILD)/cppcheck
	@$(if $(C_FILES),$(CPPCHECK) $(C_FILES))

# One file at a time: clang-tidy 14 takes a va_list for uninitialised in all files but the first. Not
# the unit tests: it does not know that cmocka's assertions end a test.
TIDY_FILES = $(COMMON_SRC) $(CMD_SRC) $(FUZZ_SRC)
lint-tidy:
	@echo '  LINT    clang-tidy'
	@$(if $(TIDY_FILES),printf '%s\n' $(TIDY_FILES) | \
		xargs -P $(shell nproc 2>/dev/null || echo 1) -n 1 sh -c 'clang-tidy --quiet "$$@" -- \
		-std=c11 -D_GNU_SOURCE -Icommon $(LIB_CFLAGS) -DROLLBACK_VERSION=\"$(VERSION)\" \
		2>/dev/null' clang-tidy)

lint-format:
	@echo '  LINT    clang-format'
	@$(if $(C_FILES)$(HEADERS),clang-format --dry-run -Werror $(C_FILES) $(HEADERS))

lint-shell:
	@echo '  LINT    shellcheck'
	@$(if $(SCRIPTS),shellcheck $(SCRIPTS))

lint-man:
	@echo '  LINT    manual pages'
	@for page in $(MAN1_SRC) $(MAN5_SRC); do \
		$(ASCIIDOCTOR) -b manpage --failure-level=WARN -o /dev/null "$$page" || exit 1; done

format:
	clang-format -i $(C_FILES) $(HEADERS)

.PHONY: clean
clean:
	rm -rf $(BUILD) $(BUILD)-san $(BUILD)-cov $(BUILD)-fuzz
