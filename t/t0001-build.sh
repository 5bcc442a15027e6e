#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='what was built: hardening, linked libraries, and installing it'
. ./test-lib.sh

for program in "$BUILD"/bin/git-*
do
	test -x "$program" && test_set_prereq PROGRAMS
done
case $test_flags in
*fsanitize* | *--coverage* | *-O0*) ;;
*) test_set_prereq RELEASE ;;
esac

test_expect_success PROGRAMS 'programs are position-independent, and read-only after relocation' '
	for program in "$BUILD"/bin/git-*
	do
		readelf -hldW "$program" >elf &&
		test_grep "Type:.*DYN" elf &&
		test_grep "GNU_RELRO" elf &&
		test_grep "BIND_NOW" elf &&
		test_grep "GNU_STACK .* RW " elf || return 1
	done
'

test_expect_success PROGRAMS,RELEASE 'programs have stack protection and checked libc functions' '
	for program in "$BUILD"/bin/git-*
	do
		readelf -W --dyn-syms "$program" >symbols &&
		test_grep "__stack_chk_fail" symbols &&
		test_grep "_chk@GLIBC" symbols || return 1
	done
'

# They cost milliseconds at each start: libpq is loaded by the first connection only, and the parser
# is linked in.
test_expect_success PROGRAMS 'programs do not link what only some runs need' '
	for program in "$BUILD"/bin/git-*
	do
		readelf -d "$program" >dynamic &&
		test_grep ! "NEEDED.*\(libpq\|libpg_query\|libprotobuf\)" dynamic || return 1
	done
'

# In a build folder of its own: make would build the one that is tested again, if it was made with
# other flags than these.
make_here () {
	make --no-print-directory -C "$TEST_TOP" BUILD="$TEST_ROOT/build" \
		DESTDIR="$TRASH_DIRECTORY/dest" prefix=/usr "$@"
}

test_expect_success PROGRAMS 'programs can be installed and are gone after uninstall' '
	mkdir -p "$TEST_ROOT/build" &&
	ln -s "$BUILD/bin" "$TEST_ROOT/build/bin" &&
	make_here man install-files &&
	for program in "$BUILD"/bin/git-*
	do
		test_path_is_file "dest/usr/bin/${program##*/}" || return 1
	done &&
	for page in "$TEST_TOP"/man/git-*.adoc
	do
		name=${page##*/} &&
		{ ! test -f "$page" || test_path_is_file "dest/usr/share/man/man1/${name%.adoc}.1"; } ||
			return 1
	done &&
	make_here uninstall &&
	find dest -type f >left &&
	test_must_be_empty left
'

test_expect_success 'a missing library is named with its package' '
	mkdir -p bin &&
	write_script bin/pkg-config <<-END &&
	case "\$*" in
	*jansson*) exit 1 ;;
	esac
	exec $(command -v pkg-config) "\$@"
	END
	test_must_fail env PATH="$PWD/bin:$PATH" \
		"$TEST_TOP"/contrib/packaging/deps.sh --check build 2>actual &&
	cat >expect <<-\END &&
	missing: jansson (Debian package libjansson-dev); run '\''make deps'\''
	END
	test_cmp expect actual
'

test_expect_success 'when all is there, nothing is said and no package manager is called' '
	mkdir -p apt &&
	write_script apt/apt-get <<-\END &&
	touch "$TRASH_DIRECTORY/called"
	END
	PATH=$PWD/apt:$PATH "$TEST_TOP"/contrib/packaging/deps.sh test >actual 2>&1 &&
	test_must_be_empty actual &&
	test_path_is_missing called
'

test_expect_success 'without apt-get, what is missing is listed' '
	mkdir -p few &&
	for tool in sh dirname id sed printf cat sort tail gcc git make pkg-config env
	do
		ln -s "$(command -v $tool)" few/ || return 1
	done &&
	test_must_fail env PATH="$PWD/few" few/sh "$TEST_TOP"/contrib/packaging/deps.sh test \
		>out 2>err &&
	test_grep "^missing: prove (Debian package perl)$" err &&
	test_grep "no apt-get" err
'

test_done
