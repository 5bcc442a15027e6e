#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: several lists of stories in a repository, and no mixing of them'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

# list FOLDER [ID...]: its stories; those that are done by then
list () {
	mkdir -p "$1" && {
		printf '{"userStories": [\n' &&
			printf '  {"id": "US-1", "title": "Sign in to %s", "passes": %s},\n' "$1" "$2" &&
			printf '  {"id": "US-2", "title": "Sign out of %s", "passes": %s}\n]}\n' "$1" "$3"
	} >"$1/prd.json"
}

two () {
	project "$1" && list apps/shop false false && list apps/mail false false && commit_all "Lists"
}

test_expect_success 'the same id in two lists: they are listed, and nothing is done' '
	two both && test_expect_code 1 git revert-track --show --story US-1 2>err &&
	test_grep "apps/mail/prd.json:US-1. .Sign in to apps/mail" err && test_grep "apps/shop/prd.json:US-1. .Sign in to apps/shop" err &&
	git rev-parse HEAD >expect && test_expect_code 1 git revert-track --story US-1 -y 2>err &&
	test_expect_code 1 git revert-track --story US-1 --also HEAD -y 2>err && git rev-parse HEAD >actual && test_cmp expect actual
'

test_expect_success 'each is named by its list, or by its title' '
	cd both && list apps/shop true false && echo a >apps/shop/a.c && commit_all "It works" &&
	list apps/mail true false && echo a >apps/mail/a.c && commit_all "It works, too" &&
	shown --story apps/shop/prd.json:US-1 >actual && echo "certain	implementation	It works" >expect && test_cmp expect actual &&
	shown --story "Sign in to apps/mail" >actual && echo "certain	implementation	It works, too" >expect && test_cmp expect actual &&
	git revert-track --list --all --porcelain | cut -f2,5,6 | sort >actual && cat >expect <<-\EOF && test_cmp expect actual
	apps/mail/prd.json:US-1	done	1
	apps/mail/prd.json:US-2	pending	0
	apps/shop/prd.json:US-1	done	1
	apps/shop/prd.json:US-2	pending	0
	EOF
'

test_expect_success 'one is reverted, and its own list says so' '
	cd both && git revert-track --story apps/mail/prd.json:US-1 -y -q && test_path_is_missing apps/mail/a.c &&
	test_path_is_file apps/shop/a.c && jq -e ".userStories[0].passes" apps/shop/prd.json &&
	jq -e ".userStories[0].passes == false" apps/mail/prd.json &&
	git log -1 --format="%(trailers:key=Reverts-Story,valueonly)" >actual && test_grep "^apps/mail/prd.json:US-1\$" actual
'

test_expect_success 'messages and trailers mean the story whose list is near; else they are likely of each' '
	two near && work apps/shop/src/a.c "feat: [US-1] in the shop" && work apps/mail/src/a.c "feat: in the mail

Story: US-1" && work both.c "feat: [US-1] in both" && echo b >>apps/mail/src/a.c && work apps/shop/src/b.c "feat: US-1 of each" &&
	work apps/mail/c.c "feat: named

Story: apps/mail/prd.json:US-1" && work elsewhere.c "feat: named, elsewhere

Story: apps/shop/prd.json:US-1" &&
	shown --story apps/shop/prd.json:US-1 >actual && cat >expect <<-\EOF && test_cmp expect actual &&
	certain	implementation	feat: named, elsewhere
	likely	implementation	feat: US-1 of each
	likely	implementation	feat: [US-1] in both
	certain	implementation	feat: [US-1] in the shop
	EOF
	shown --story apps/mail/prd.json:US-1 >actual && cat >expect <<-\EOF && test_cmp expect actual
	certain	implementation	feat: named
	likely	implementation	feat: US-1 of each
	likely	implementation	feat: [US-1] in both
	certain	implementation	feat: in the mail
	EOF
'

test_expect_success 'an id of one list alone needs no path; one that is archived stands back' '
	two archived && sed "s/US-2/US-7/" apps/mail/prd.json >new && mv new apps/mail/prd.json &&
	list archive/2025/shop true true && git rm -q -r apps/shop && list apps/shop false false && commit_all "An archive" &&
	work a.c "feat: [US-7] x" && shown --story US-7 >actual && echo "certain	implementation	feat: [US-7] x" >expect && test_cmp expect actual &&
	git revert-track --show --story US-2 --json >json && jq -e ".unit.list == \"apps/shop/prd.json\" and .unit.story == \"US-2\"" json
'

test_expect_success 'a list that was moved is the same list' '
	project moved && list plans false false && commit_all "A list" && list plans true false && echo a >a.c && commit_all "It works" &&
	git mv plans docs && commit_all "Move it" && shown --story US-1 >actual &&
	echo "certain	implementation	It works" >expect && test_cmp expect actual
'

test_expect_success 'one list that cannot be read does not stop the others' '
	two broken && echo "{" >apps/mail/prd.json && list web true false && echo a >a.c && commit_all "It works" &&
	git revert-track --list --all >out 2>err && test_grep "apps/mail/prd.json:[0-9]*: " err &&
	test_grep "web/prd.json:US-1" out && test_grep "apps/shop/prd.json:US-2" out
'

test_done
