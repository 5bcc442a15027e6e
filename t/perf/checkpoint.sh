#!/bin/bash
# SPDX-License-Identifier: MIT
#
# checkpoint: what git checkpoint costs beside git's own plumbing doing less.
#
#	t/perf/checkpoint.sh
#
# PERF_ROUNDS=9 counted rounds; PERF_FILES=100000 files in the large repository. It needs some GB in
# TMPDIR. That should be a journaled file system: ext4 without a journal is slow at creating files
# where others were deleted within minutes, which is all that git's loose objects do here.
#
# Every run has new content to write, that is on disk before it starts: who syncs must not pay for
# the edits of this script. What runs have written is removed again, so that all find the same.
#
# To create, the peer is the usual recipe on a temporary index, which makes one commit of all files
# and syncs nothing. To restore, it is `git reset --hard`, which keeps nothing of what it takes away.

. "$(dirname "${BASH_SOURCE[0]}")"/perf-lib.sh
perf_start checkpoint
files=${PERF_FILES:-100000}

# ---- Repositories ------------------------------------------------------------------------------

# N files of some hundred bytes to some KB, 100 in each of nested folders.
write_files () {	# folder, N
	perl -e '
		my ($dir, $n) = @ARGV;
		srand 42;
		my $text = join " ", map { ("alpha", "beta", "return", "static", "int")[rand 5] . int rand 1000 } 1 .. 2000;
		for my $i (0 .. $n - 1) {
			my $f = int($i / 100);
			my $d = sprintf "%s/d%d/e%d/f%d", $dir, $f / 100, $f / 10 % 10, $f % 10;
			system "mkdir", "-p", $d unless $i % 100;
			open my $out, ">", "$d/$i.c" or die "$d: $!";
			print $out "$i\n", substr($text, rand 8000, 300 + rand 3000), "\n";
		}' "$1" "$2"
}

# New content for K tracked files, far apart, and for as many untracked ones.
edit () {	# N, K, untracked
	perl -e '
		my ($n, $k, $untracked) = @ARGV;
		my $text = join " ", map { int rand 1e9 } 1 .. 1000;
		for my $j (0 .. $k - 1) {
			my $i = $j * int($n / $k);
			my $f = int($i / 100);
			my $d = sprintf "d%d/e%d/f%d", $f / 100, $f / 10 % 10, $f % 10;
			for my $name ("$i.c", $untracked ? "new$i.c" : ()) {
				open my $out, ">", "$d/$name" or die "$d: $!";
				print $out rand, "\n", substr($text, rand 5000, 300 + rand 3000), "\n";
			}
		}' "$1" "$2" "$3" && sync -f .
}

make_repository () {	# folder, N
	git init -q "$1" && write_files "$1" "$2" && (
		cd "$1" && git config gc.auto 0 && git add -A && git commit -qm base &&
			git repack -adq && git prune-packed && git update-index -q --refresh &&
			find .git/objects -type f | sort >.git/objects.before
	) || exit
}

tidy () {
	find .git/objects -type f | sort | comm -13 .git/objects.before - | xargs -r rm -f
	find .git/refs/checkpoints .git/refs/recipe .git/refs/rollback .git/rollback -type f -delete 2>/dev/null
}

clean () {
	tidy
	git reset -q --hard && git clean -fdq && git update-index -q --refresh && sync -f . || exit
}

# ---- Contestants -------------------------------------------------------------------------------

recipe () {
	local tree commit
	cp -p .git/index .git/index.recipe &&
		GIT_INDEX_FILE=.git/index.recipe git add -A &&
		tree=$(GIT_INDEX_FILE=.git/index.recipe git write-tree) &&
		commit=$(git commit-tree -p HEAD -m recipe "$tree") &&
		git update-ref refs/recipe "$commit" && rm .git/index.recipe
}

measure_create () {	# N, K, scenario, round
	edit "$1" "$2" untracked
	perf_time "$4" "$3" recipe recipe
	edit "$1" "$2" untracked
	perf_time "$4" "$3" create git-checkpoint -q
	perf_time "$4" "$3" status git --no-optional-locks status -uall
	tidy
}

measure_restore () {	# N, K, scenario, round
	git-checkpoint -q base >/dev/null && edit "$1" "$2" '' || exit
	perf_time "$4" "$3" reset git reset -q --hard
	edit "$1" "$2" ''
	perf_time "$4" "$3" restore git-checkpoint restore -q --yes base
	git tag -d checkpoint/base >/dev/null
	tidy
}

# The most memory that all processes of a command have at once is less than the sum of their peaks.
peak_of () {	# command...
	mkdir -p "$PERF_DIR/bin" && rm -f "$PERF_DIR/rss" && cat >"$PERF_DIR/bin/git" <<-END
	#!/bin/sh
	exec /usr/bin/time -a -o "$PERF_DIR/rss" -f %M "$(command -v git)" "\$@"
	END
	chmod +x "$PERF_DIR/bin/git" &&
		PATH="$PERF_DIR/bin:$PATH" /usr/bin/time -a -o "$PERF_DIR/rss" -f %M "$@" >/dev/null || exit
	awk '{ sum += $1 } END { printf "%d\n", sum / 1024 }' "$PERF_DIR/rss"
}

report_memory () {	# what, limit in MiB
	local peak
	peak=$(peak_of git-checkpoint -q) || exit
	test "$peak" -le "$2" || perf_failed=1
	printf 'memory\n  %-24s %9d MiB  %s\n' "$1" "$peak" \
		"$(test "$peak" -le "$2" && echo within || echo OVER) $2" | tee -a "${PERF_OUT%.tsv}.txt"
}

# ---- Runs --------------------------------------------------------------------------------------

make_repository "$PERF_DIR/large" "$files"
make_repository "$PERF_DIR/small" 1000
rounds=$(seq 0 "$PERF_ROUNDS")

cd "$PERF_DIR/large" || exit
for many in 1000 10
do
	for round in $rounds
	do
		measure_create "$files" $many "create, $many and $many of $files" "$round"
	done
	clean
	for round in $rounds
	do
		measure_restore "$files" $many "restore $many of $files" "$round"
	done
	clean
done
for round in $rounds
do
	perf_time "$round" "create, nothing changed of $files" status git --no-optional-locks status -uall
	perf_time "$round" "create, nothing changed of $files" create git-checkpoint -q
	tidy
done

cd "$PERF_DIR/small" || exit
for round in $rounds
do
	measure_create 1000 10 "create, 10 and 10 of 1000" "$round"
done
clean
for i in $(seq 1000)
do
	echo "$i" >d0/e0/f0/0.c && git-checkpoint -q "list-$i" -m "message $i" >/dev/null || exit
done
git gc -q
for round in $rounds
do
	perf_time "$round" "list 1000" for-each-ref git for-each-ref \
		--format='%(refname) %(creatordate) %(subject)' refs/checkpoints
	perf_time "$round" "list 1000" list git-checkpoint list
done

perf_report "create, 1000 and 1000 of $files" recipe create=0.75
perf_report "create, 10 and 10 of $files" status create=1.3
perf_report "create, nothing changed of $files" status create=1.3
perf_report "create, 10 and 10 of 1000" recipe create=50ms
perf_report "restore 1000 of $files" reset restore=1.8
perf_report "restore 10 of $files" reset restore=1.8
perf_report "list 1000" for-each-ref list=2
if test -x /usr/bin/time
then
	truncate -s 2G sparse
	report_memory "2 GiB of zeros" 128
	rm sparse
	openssl enc -aes-128-ctr -pass pass:x -nosalt </dev/zero 2>/dev/null | head -c 2G >noise
	report_memory "2 GiB of noise" 128
else
	echo "no /usr/bin/time: memory is not measured"
fi
perf_end
