#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh: see that what git-rollback needs is there, and install what is not.
#
#   deps.sh [--check] <group>...
#
# Groups: build, demo, test, lint, coverage, fuzz; demo and test contain what they stand on. Each
# need is probed for itself, never by asking the package manager, so that libraries built by hand
# count too. When all is there, this takes a few milliseconds and starts no package manager.
#
# --check installs nothing: it names what is missing, with its Debian package, and exits 1.
# Without apt-get it does the same. PostgreSQL comes without the server that Debian's packages
# would set up and start.

set -u
cd "$(dirname "$0")/../.." || exit 1

# group  kind  what  Debian package; $CC and $PKG_CONFIG are replaced below.
#
# Kinds: cmd (a program in PATH), pc (a pkg-config file), header, archive (a static library),
# server (PostgreSQL's programs).
# shellcheck disable=SC2016
needs='
build	cmd	$CC	gcc
build	header	stdio.h	libc6-dev
build	cmd	make	make
build	cmd	git	git
build	cmd	$PKG_CONFIG	pkg-config
build	pc	libpq	libpq-dev
build	pc	libprotobuf-c	libprotobuf-c-dev
build	pc	inih	libinih-dev
build	pc	jansson	libjansson-dev
build	pc	libcmark	libcmark-dev
build	pc	libgit2	libgit2-dev
build	pc	nettle	nettle-dev
build	pc	libzstd	libzstd-dev
build	header	pg_query.h	libpg-query-dev
build	header	pg_query/pg_query.pb-c.h	libpg-query-dev
build	archive	libpg_query.a	libpg-query-dev
demo	server	PostgreSQL-server	postgresql
demo	cmd	setpriv	util-linux
test	pc	cmocka	libcmocka-dev
test	cmd	bash	bash
test	cmd	prove	perl
test	cmd	pgbouncer	pgbouncer
test	cmd	strace	strace
test	cmd	script	bsdutils
test	cmd	jq	jq
test	cmd	zstd	zstd
test	cmd	readelf	binutils
test	cmd	asciidoctor	asciidoctor
lint	cmd	cppcheck	cppcheck
lint	cmd	clang-tidy	clang-tidy
lint	cmd	clang-format	clang-format
lint	cmd	shellcheck	shellcheck
lint	cmd	asciidoctor	asciidoctor
coverage	cmd	lcov	lcov
fuzz	cmd	clang	clang
fuzz	fuzzer	libFuzzer	libclang-rt-dev
'

CC=${CC:-gcc}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck disable=SC1091
. t/pg-cluster.sh

check_only=
groups=
for arg
do
	case $arg in
	--check) check_only=yes ;;
	build) groups="$groups build" ;;
	demo) groups="$groups build demo" ;;
	test) groups="$groups build demo test" ;;
	lint) groups="$groups build lint" ;;
	coverage) groups="$groups coverage" ;;
	fuzz) groups="$groups build fuzz" ;;
	*)
		echo "usage: $0 [--check] [build | demo | test | lint | coverage | fuzz]..." >&2
		exit 129
		;;
	esac
done

has_headers () {
	# shellcheck disable=SC2046 # options
	for header
	do
		printf '#if !__has_include(<%s>)\n#error missing\n#endif\n' "$header"
	done | $CC -E $($PKG_CONFIG --cflags-only-I libprotobuf-c 2>/dev/null) - >/dev/null 2>&1
}

is_there () {	# kind, what
	case $1 in
	cmd) command -v "${2%% *}" >/dev/null 2>&1 ;;
	pc) $PKG_CONFIG --exists "$2" 2>/dev/null ;;
	header) has_headers "$2" ;;
	archive) case $($CC -print-file-name="$2" 2>/dev/null) in /*) ;; *) false ;; esac ;;
	server) pg_bindir >/dev/null ;;
	fuzzer) ls "$(clang -print-resource-dir 2>/dev/null)"/lib/*/*fuzzer* >/dev/null 2>&1 ;;
	esac
}

# What is usual first: everything is there, told with as few processes as possible.
pcs='' headers=''
missing='' packages=''
tab=$(printf '\t')
collect () {
	while IFS=$tab read -r group kind what package
	do
		test -n "$group" || continue
		case " $groups " in *" $group "*) ;; *) continue ;; esac
		case $what in \$CC) what=${CC#ccache } ;; \$PKG_CONFIG) what=$PKG_CONFIG ;; esac
		"$@" || return
	done <<-END
	$needs
	END
}
gather () {
	case $kind in
	pc) pcs="$pcs $what" ;;
	header) headers="$headers $what" ;;
	*) is_there "$kind" "$what" ;;
	esac
}
name_missing () {
	is_there "$kind" "$what" && return
	missing="${missing}missing: $what (Debian package $package); run 'make deps'
"
	case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
}

# shellcheck disable=SC2086 # both are lists
if collect gather && { test -z "$pcs" || $PKG_CONFIG --exists $pcs 2>/dev/null; } &&
   { test -z "$headers" || has_headers $headers; }
then
	exit 0
fi
collect name_missing
test -n "$missing" || exit 0

if test -n "$check_only"
then
	printf '%s' "$missing" >&2
	exit 1
fi

as_root=
if test "$(id -u)" != 0
then
	as_root=sudo
fi
if ! command -v apt-get >/dev/null
then
	printf '%s' "$missing" | sed "s/; run 'make deps'$//" >&2
	echo "This system has no apt-get. Please install these by its own means, and run make again." >&2
	exit 1
fi
if test -n "$as_root" && ! command -v sudo >/dev/null
then
	printf '%s' "$missing" | sed "s/; run 'make deps'$//" >&2
	echo "There is no sudo. Please run as root: apt-get install$packages" >&2
	exit 1
fi

echo "Installing:$packages"
apt_install () {
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install --yes --quiet --no-install-recommends "$@"
}

# The server package would make and start a server of its own. postgresql-common has the switch, in
# a file that comes with it: so that first, and the file is put back as it was.
conf=/etc/postgresql-common/createcluster.conf
kept=
put_back () {
	test -z "$kept" || $as_root mv -f "$kept" "$conf"
	kept=
}
without_server () {
	apt_install postgresql-common || return
	test -f "$conf" || return 0
	! grep -q '^[[:space:]]*create_main_cluster' "$conf" || return 0
	trap put_back EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	$as_root cp -p "$conf" "$conf.git-rollback" &&
	kept=$conf.git-rollback &&
	echo 'create_main_cluster = false' | $as_root tee -a "$conf" >/dev/null
}

$as_root apt-get update --quiet ||
	echo "apt-get update failed; going on with the package lists that are there" >&2
case " $packages " in
*" postgresql "*) without_server || exit 1 ;;
esac
# shellcheck disable=SC2086 # a list
apt_install $packages || exit 1
put_back

# Installed by name does not mean found by the probe: say so now, not in the compiler's words.
missing=
hash -r
collect name_missing
if test -n "$missing"
then
	printf '%s' "$missing" | sed "s/; run 'make deps'$/ is still not found/" >&2
	exit 1
fi
