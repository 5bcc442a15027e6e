#!/bin/bash
# SPDX-License-Identifier: MIT
#
# revert: how long a series of 100 reverts takes, to be worked out and to be carried out.
#
#	t/perf/revert.sh		PERF_ROUNDS rounds of each (9)
#
# 300 commits, each of which changes three files of PERF_FILES (20,000); every third one is reverted.
# "apart": their files are changed by no others; "shared": each file is changed by the others
# later, elsewhere in it, so that all contents have to be merged. Beside it one `git revert` of the
# same commits, which changes files, and is reset behind each round. The tools are of t/unit.

# shellcheck source=perf-lib.sh
. "$(dirname "$0")"/perf-lib.sh
perf_start revert
for tool in "$BUILD"/t/unit/vcs-revert-tool "$BUILD"/t/unit/flow-revert-tool
do
	[[ -x $tool ]] || { echo "there is no $tool: run 'make $tool'" >&2; exit 1; }
done

# As fast-import reads it: PERF_FILES files of 60 lines in folders of 100, then the commits.
history () {	# 1: files are shared
	perl -e '
		my ($files, $shared) = @ARGV;
		my (@text, $mark);
		my $path = sub { sprintf "d%03d/f%d", $_[0] / 100, $_[0] };
		my $who = "perf <perf\@example.invalid> 1700000000 +0000";
		sub commit { printf "commit refs/heads/main\nmark :%d\ncommitter $who\ndata %d\n%s\n", ++$mark, length $_[0], $_[0] }
		sub put { my $t = join "", map { "$_\n" } @{ $text[$_[0]] }; printf "M 100644 inline %s\ndata %d\n%s\n", $path->($_[0]), length $t, $t }
		commit("base");
		for my $i (0 .. $files - 1) { $text[$i] = [ map { "file $i line $_" } 1 .. 60 ]; put($i) }
		for my $n (0 .. 299) {
			commit("commit $n " . ($n % 3 ? "other" : "unit"));
			for my $k (0 .. 2) {
				# Each unit commit shares its files with the one behind it.
				my $i = ($shared && $n % 3 == 1 ? $n - 1 : $n) * 3 + $k;
				$text[$i][ $n % 3 == 1 ? 50 : 5 ] = "changed by $n";
				put($i);
			}
		}' "${PERF_FILES:-20000}" "$1" |
		git fast-import --quiet && git reset -q --hard main
}

by_git () {
	git revert --no-edit "${set[@]}"
}

for kind in apart shared
do
	shared=0
	[[ $kind == apart ]] || shared=1
	git init -q -b main "$PERF_DIR/$kind" && cd "$PERF_DIR/$kind" && git config gc.auto 0 && history $shared || exit
	mapfile -t set < <(git log --format=%H --grep="unit$")
	[[ ${#set[@]} == 100 ]] || exit
	head=$(git rev-parse HEAD)
	for round in $(seq 0 "$PERF_ROUNDS")
	do
		perf_time "$round" "$kind" git-revert by_git
		expect=$(git rev-parse "HEAD^{tree}")
		git reset -q --hard "$head"
		perf_time "$round" "$kind" preview "$BUILD"/t/unit/vcs-revert-tool --quiet "${set[@]}"
		perf_time "$round" "$kind" execute "$BUILD"/t/unit/flow-revert-tool run "${set[@]}"
		[[ $(git rev-parse "HEAD^{tree}") == "$expect" ]] || { echo "the trees differ" >&2; exit 1; }
		git reset -q --hard "$head"
	done
	perf_report "$kind" git-revert preview=2000ms
done
perf_end
