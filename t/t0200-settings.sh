#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='settings: where they come from, and what a .gitrollback may not do'
. ./test-lib.sh

# The unit program of the settings is also a reader of them.
settings () {
	"$BUILD"/t/unit/config-settings "$@"
}

# Messages with " for their quotes, which a test's body cannot hold.
plain () {
	tr "\047" '"'
}

# Makes .gitrollback of the lines on standard input, or of what printf makes of its arguments. (Not
# behind a pipe: in a subshell there is no test_when_finished.)
rollback_file () {
	if test $# = 0
	then
		cat
	else
		# shellcheck disable=SC2059 # a format is what it is
		printf "$@"
	fi >.gitrollback &&
	test_when_finished "rm -f .gitrollback"
}

# What there would be without any of our settings.
with_git () {	# section.key value
	git config "rollback.$1" "$2" &&
	test_when_finished "git config --unset-all 'rollback.$1'"
}

test_expect_success 'defaults, where nothing is set' '
	settings get migrations.table migrations.logTable migrations.directory >actual &&
	cat >expect <<-\END &&
	migrations.table=schema_migrations (default)
	migrations.logTable=schema_rollback_log (default)
	migrations.directory=NULL (default)
	END
	test_cmp expect actual
'

test_expect_success 'the file, then git, then the environment' '
	rollback_file <<-\END &&
	[migrations]
	table = from_file
	log_table = log_from_file
	directory = db
	END
	with_git migrations.logTable log_from_git &&
	GIT_ROLLBACK_MIGRATIONS_DIRECTORY=sql settings get \
		migrations.table migrations.logTable migrations.directory >actual &&
	cat >expect <<-\END &&
	migrations.table=from_file (.gitrollback:2)
	migrations.logTable=log_from_git (git config rollback.migrations.logTable)
	migrations.directory=sql (GIT_ROLLBACK_MIGRATIONS_DIRECTORY)
	END
	test_cmp expect actual
'

test_expect_success 'an empty variable counts as not set' '
	GIT_ROLLBACK_MIGRATIONS_TABLE= settings get migrations.table >actual &&
	echo "migrations.table=schema_migrations (default)" >expect &&
	test_cmp expect actual
'

test_expect_success 'all of the ways to configure git count' '
	test_when_finished "git config --global --remove-section rollback.migrations" &&
	git config --global rollback.migrations.table from_home &&
	settings get migrations.table >actual &&
	echo "migrations.table=from_home (git config rollback.migrations.table)" >expect &&
	test_cmp expect actual &&

	git config -f included rollback.migrations.table from_include &&
	git config include.path ../included &&
	test_when_finished "git config --unset include.path" &&
	settings get migrations.table >actual &&
	test_grep "=from_include " actual &&

	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=rollback.Migrations.TABLE \
		GIT_CONFIG_VALUE_0=from_count settings get migrations.table >actual &&
	test_grep "=from_count " actual &&

	git config alias.settings "!\"$BUILD\"/t/unit/config-settings" &&
	test_when_finished "git config --unset alias.settings" &&
	git -c rollback.migrations.table=from_command settings get migrations.table >actual &&
	test_grep "=from_command " actual
'

test_expect_success 'GIT_CONFIG, which is of git config alone, does not count' '
	git config -f other rollback.migrations.table other &&
	GIT_CONFIG=$PWD/other settings get migrations.table >actual &&
	echo "migrations.table=schema_migrations (default)" >expect &&
	test_cmp expect actual
'

test_expect_success 'a linked worktree has a file and a configuration of its own' '
	test_commit first &&
	git worktree add -q ../linked &&
	test_when_finished "git worktree remove -f ../linked &&
		git config --unset extensions.worktreeConfig" &&
	git config extensions.worktreeConfig true &&
	git -C ../linked config --worktree rollback.migrations.logTable of_worktree &&
	printf "[migrations]\ntable = of_linked\n" >../linked/.gitrollback &&
	(cd ../linked && settings get migrations.table migrations.logTable) >actual &&
	cat >expect <<-\END &&
	migrations.table=of_linked (.gitrollback:2)
	migrations.logTable=of_worktree (git config rollback.migrations.logTable)
	END
	test_cmp expect actual &&
	settings get migrations.table migrations.logTable >actual &&
	test_grep ! of_ actual
'

test_expect_success 'from a subdirectory, with GIT_DIR, and in a bare repository' '
	rollback_file <<-\END &&
	[migrations]
	table = from_file
	END
	mkdir -p sub/dir &&
	(cd sub/dir && settings get migrations.table) >actual &&
	echo "migrations.table=from_file (.gitrollback:2)" >expect &&
	test_cmp expect actual &&
	(
		GIT_DIR=$PWD/.git GIT_WORK_TREE=$PWD && export GIT_DIR GIT_WORK_TREE &&
		cd / && settings get migrations.table
	) >actual &&
	test_cmp expect actual &&
	git init -q --bare bare.git &&
	cp .gitrollback bare.git &&
	git -C bare.git config rollback.migrations.logTable of_bare &&
	(cd bare.git && settings get migrations.table migrations.logTable) >actual &&
	cat >expect <<-\END &&
	migrations.table=schema_migrations (default)
	migrations.logTable=of_bare (git config rollback.migrations.logTable)
	END
	test_cmp expect actual
'

test_expect_success 'keys are found however they are written, names only as they are' '
	rollback_file <<-\END &&
	[CheckPoint]
	  BIG_FILE = 5m
	[database "Prod.eu"]
	  lock_timeout = 5s
	[domain "a"]
	path = one
	[domain "a"]
	path = two
	END
	git config rollback.database.prod.eu.lockTimeout 7s &&
	settings get checkpoint.bigFile database.Prod.eu.lockTimeout \
		database.prod.eu.locktimeout >actual &&
	cat >expect <<-\END &&
	checkpoint.bigFile=5m (.gitrollback:2)
	database.Prod.eu.lockTimeout=5s (.gitrollback:4)
	database.prod.eu.locktimeout=7s (git config rollback.database.prod.eu.lockTimeout)
	END
	test_cmp expect actual &&
	settings list domain.a.path >actual &&
	printf "one\ntwo\n" >expect &&
	test_cmp expect actual &&
	git config --add rollback.domain.a.path three &&
	settings list domain.a.path >actual &&
	echo three >expect &&
	test_cmp expect actual &&
	git config --remove-section rollback.domain.a &&
	git config --remove-section rollback.database.prod.eu
'

test_expect_success 'BOM, CRLF, comments and quotes' '
	rollback_file "\357\273\277; team\r\n[migrations] ; all\r\n\ttable = \"a b\" ; note\r\n" &&
	settings get migrations.table >actual &&
	echo "migrations.table=a b (.gitrollback:3)" >expect &&
	test_cmp expect actual
'

# Each is a file, as printf has it, and what must be said of it. Nothing of the file may count.
while IFS='|' read -r title text message
do
	test_expect_success "refused as a whole: $title" "
		rollback_file '[migrations]\ntable = counted\n$text' &&
		test_expect_code 128 settings get migrations.table >out 2>err &&
		test_must_be_empty out &&
		echo '$message' >expect &&
		grep -v ^hint: err | plain >actual &&
		test_cmp expect actual
	"
done <<'END'
unknown section|[migration]\nx = y\n|fatal: .gitrollback:4: there is no setting "x" in a section [migration]
unknown key|tabel = y\n|fatal: .gitrollback:3: there is no setting "tabel" in a section [migrations]
a name too many|[migrations "x"]\ntable = y\n|fatal: .gitrollback:4: there is no setting "table" in a section [migrations "..."]
a name too few|[database]\nurl = y\n|fatal: .gitrollback:4: there is no setting "url" in a section [database]
set twice|[Migrations]\nTABLE = y\n|fatal: .gitrollback:4: "migrations.table" is set twice: line 2 has it already
bad boolean|[checkpoint]\ntag = perhaps\n|fatal: .gitrollback:4: "checkpoint.tag" should be true or false
bad number|[checkpoint]\nbigFile = 1x\n|fatal: .gitrollback:4: "checkpoint.bigFile" should be a number, or one with k, m or g
bad time|lockTimeout = 5 minutes\n|fatal: .gitrollback:3: "migrations.lockTimeout" should be a time such as 500ms, 5s or 2min, up to 24 days
an option for a path|directory = --output=x\n|fatal: .gitrollback:3: "migrations.directory" should be a path ("./-x" for "-x")
an empty value|directory =\n|fatal: .gitrollback:3: "migrations.directory" should be a path ("./-x" for "-x")
only for git|[database "x"]\nseen_protected = false\n|fatal: .gitrollback:4: "database.x.seenProtected" is only read from git"s own configuration
no value|directory\n|fatal: .gitrollback:3: expected "key = value", [section] or a comment
a cut in quotes|directory = "a ; b"\n|fatal: .gitrollback:3: a blank and ";" start a comment, in quotes too
a NUL|directory = a\0b\n|fatal: .gitrollback:3: this line holds a control character (0x00)
an escape|directory = \033[2J\n|fatal: .gitrollback:3: this line holds a control character (0x1b)
invalid UTF-8|directory = \377\n|fatal: .gitrollback:3: this line is not valid UTF-8
a line of 300|directory = %0300d\n|fatal: .gitrollback:3: this line is too long: 190 bytes are the limit
END

test_expect_success 'refused: what is no plain file' '
	test_when_finished "rm -rf .gitrollback" &&
	printf "[migrations]\ntable = elsewhere\n" >elsewhere &&
	ln -s elsewhere .gitrollback &&
	test_expect_code 128 settings get migrations.table 2>err &&
	test_grep "cannot read .\.gitrollback.: it is a symbolic link" err &&
	rm .gitrollback && ln -s nowhere .gitrollback &&
	test_expect_code 128 settings get migrations.table 2>err &&
	test_grep "it is a symbolic link" err &&
	rm .gitrollback && mkfifo .gitrollback &&
	test_expect_code 128 settings get migrations.table 2>err &&
	test_grep "it is not a plain file" err &&
	rm .gitrollback && mkdir .gitrollback &&
	test_expect_code 128 settings get migrations.table 2>err &&
	test_grep "it is not a plain file" err
'

test_expect_success 'refused: 10 MB' '
	rollback_file "[migrations]\ntable = counted\n%010000000d\n" &&
	test_expect_code 128 settings get migrations.table 2>err &&
	test_grep "it is larger than 256 KiB" err
'

test_expect_success 'a value that does not fit is named by where it came from' '
	with_git checkpoint.tag perhaps &&
	settings get migrations.table &&
	test_expect_code 128 settings get checkpoint.tag 2>err &&
	test_grep "should be true or false (it comes from .git config rollback.checkpoint.tag.)" err &&
	GIT_ROLLBACK_CHECKPOINT_BIG_FILE=huge \
		test_expect_code 128 settings get checkpoint.bigFile 2>err &&
	test_grep "it comes from .GIT_ROLLBACK_CHECKPOINT_BIG_FILE." err
'

# ---- Which database ------------------------------------------------------------------------------

test_expect_success 'no database' '
	settings database >actual &&
	echo none >expect &&
	test_cmp expect actual &&
	test_expect_code 128 settings database default 2>err &&
	test_grep "there is no database .default. in the configuration" err
'

test_expect_success 'DATABASE_URL, where none is configured' '
	DATABASE_URL=host=here settings database >actual &&
	echo "default: host=here (env:DATABASE_URL)" >expect &&
	test_cmp expect actual &&
	DATABASE_URL=host=here settings database default >actual &&
	test_cmp expect actual
'

test_expect_success 'the only one that is configured' '
	with_git database.staging.url service=staging &&
	DATABASE_URL=host=here settings database >actual &&
	echo "staging: service=staging (git config rollback.database.staging.url)" >expect &&
	test_cmp expect actual
'

test_expect_success 'of several: option, environment, configuration, development' '
	with_git database.staging.url service=staging &&
	with_git database.production.url service=production &&
	test_expect_code 128 settings database 2>err &&
	test_grep "several databases are configured, and none is called .development.: .production., .staging.$" err &&

	git config rollback.database.development.url service=development &&
	settings database >actual &&
	test_grep ^development: actual &&
	with_git migrations.database staging &&
	settings database >actual &&
	test_grep ^staging: actual &&
	GIT_ROLLBACK_DATABASE=production settings database >actual &&
	test_grep ^production: actual &&
	GIT_ROLLBACK_DATABASE=production settings database staging >actual &&
	test_grep ^staging: actual &&
	GIT_ROLLBACK_MIGRATIONS_DATABASE=staging GIT_ROLLBACK_DATABASE=production \
		settings database >actual &&
	test_grep ^production: actual &&
	git config --remove-section rollback.database.development
'

test_expect_success 'an unknown name is an error that lists what there is' '
	with_git database.staging.url service=staging &&
	with_git database.production.url service=production &&
	test_expect_code 128 settings database prodction 2>err &&
	cat >expect <<-\END &&
	fatal: there is no database "prodction" in the configuration (named by --database)
	hint: Did you mean "production"?
	hint: Configured: "production", "staging".
	END
	plain <err >actual &&
	test_cmp expect actual &&
	GIT_ROLLBACK_DATABASE=x test_expect_code 128 settings database 2>err &&
	test_grep "(named by GIT_ROLLBACK_DATABASE)" err
'

test_expect_success 'a connection string for a name is not repeated' '
	for url in postgres://u:secret@h/d "host=h password=secret" env:SECRET
	do
		test_expect_code 128 settings database "$url" 2>err || return
		test_grep ! -i secret err || return
		test_grep "takes the name of a database" err || return
	done
'

test_expect_success 'env: that is not set names the variable' '
	with_git database.x.url env:NO_SUCH_VARIABLE &&
	test_expect_code 128 settings database 2>err &&
	test_grep "NO_SUCH_VARIABLE.*which is not set" err &&
	NO_SUCH_VARIABLE= test_expect_code 128 settings database 2>err &&
	test_grep "NO_SUCH_VARIABLE.*which is empty" err &&
	NO_SUCH_VARIABLE=host=x settings database >actual &&
	echo "x: host=x (env:NO_SUCH_VARIABLE (git config rollback.database.x.url))" >expect &&
	test_cmp expect actual
'

test_expect_success 'a database without a url' '
	rollback_file <<-\END &&
	[database "production"]
	protected = true
	END
	test_expect_code 128 settings database production 2>err &&
	test_grep "database .production. (from --database) has no url" err &&
	settings database >actual &&
	echo none >expect &&
	test_cmp expect actual
'

test_expect_success 'timeouts: its own, else those of all' '
	with_git database.x.url service=x &&
	with_git migrations.lockTimeout 5s &&
	with_git migrations.statementTimeout 1min &&
	with_git database.x.lockTimeout 100ms &&
	settings database >actual &&
	test_grep "^lock 100ms, statement 1min$" actual
'

# ---- Trust ---------------------------------------------------------------------------------------

test_expect_success 'what needs no trust counts, and nothing is said' '
	rollback_file <<-\END &&
	[migrations]
	directory = db/migrations
	[database "development"]
	url = env:DATABASE_URL
	[database "staging"]
	url = service=staging
	protected = true
	END
	settings warn >out 2>err &&
	test_must_be_empty out &&
	test_must_be_empty err &&
	DATABASE_URL=host=x settings database >actual &&
	echo "development: host=x (env:DATABASE_URL (.gitrollback:4))" >expect &&
	test_cmp expect actual &&
	settings database staging >actual &&
	echo "staging: service=staging (.gitrollback:6) protected" >expect &&
	test_cmp expect actual
'

test_expect_success 'set up a link that leads out' '
	ln -s / outside
'

# Each is a key that a stranger's file may not bring.
while IFS='|' read -r section line reason
do
	test_expect_success "withheld: $line" "
		rollback_file '[%s]\n%s\n' '$section' '$line' &&
		settings warn >out 2>err &&
		test_must_be_empty out &&
		test_line_count = 2 err &&
		test_grep '^warning: \.gitrollback:2: .* is not honoured: $reason needs trust$' err &&
		test_grep '^hint: .*git rollback trust' err &&
		git rollback trust --yes &&
		test_when_finished 'git rollback trust --revoke' &&
		settings warn 2>err &&
		test_grep ! 'is not honoured' err
	"
done <<'END'
database "x"|url = env:AWS_SECRET|an environment variable other than DATABASE_URL
database "x"|url = postgres://evil/|a connection string
database "x"|url = host=evil|a connection string
database "x"|url = service=x host=evil|a connection string
database "x"|url =|a connection string
database "x"|maintenanceCommand = touch pwned|a command
verify "x"|command = touch pwned|a command
migrations|directory = ../elsewhere|a path outside the worktree
migrations|directory = /etc|a path outside the worktree
migrations|directory = a/../../b|a path outside the worktree
migrations|directory = outside/etc|a path outside the worktree
migrations|directory = .git/hooks|a path inside .git
snapshots|directory = ~/x|a path outside the worktree
stages|state = ../x|a path outside the worktree
tracks|registry = ../x|a path outside the worktree
checkpoint|include = ../x|a path outside the worktree
domain "x"|generated = /x/**|a path outside the worktree
END

test_expect_success 'a withheld url is an error, and nothing takes its place' '
	rollback_file <<-\END &&
	[database "development"]
	url = postgres://evil/db
	END
	DATABASE_URL=host=good test_expect_code 2 settings database >out 2>err &&
	test_must_be_empty out &&
	cat >expect <<-\END &&
	error: .gitrollback:2: "database.development.url" is not honoured: a connection string needs trust
	hint: Read .gitrollback, then run "git rollback trust" to honour all of it.
	hint: Or set your own: git config rollback.database.development.url <value>
	END
	plain <err >actual &&
	test_cmp expect actual &&
	test_grep ! evil err
'

test_expect_success 'your own value needs nobody to be trusted' '
	rollback_file <<-\END &&
	[database "development"]
	url = postgres://evil/db
	END
	with_git database.development.url host=mine &&
	settings database >actual &&
	echo "development: host=mine (git config rollback.database.development.url)" >expect &&
	test_cmp expect actual
'

test_expect_success 'a file cannot trust itself, and its other keys count' '
	rollback_file <<-\END &&
	[migrations]
	table = fine
	[verify "x"]
	command = touch pwned
	END
	settings get migrations.table >actual &&
	test_grep "=fine " actual &&
	test_expect_code 2 settings get verify.x.command &&
	printf "[rollback]\ntrust = %s\n" "$(git hash-object .gitrollback)" >>.gitrollback &&
	test_expect_code 128 settings get verify.x.command 2>err &&
	test_grep "there is no setting .trust. in a section \[rollback\]" err
'

test_expect_success 'a password in the file deserves a warning, trusted or not' '
	rollback_file <<-\END &&
	[database "x"]
	url = postgres://me:secret@host/db
	END
	settings warn 2>err &&
	test_grep "gitrollback:2: .database.x.url. holds a password" err &&
	test_grep ! secret err &&
	git rollback trust --yes >out 2>err &&
	test_when_finished "git rollback trust --revoke" &&
	test_grep "holds a password" err &&
	test_grep ! secret err &&
	test_grep ! secret out &&
	settings warn 2>err &&
	test_line_count = 1 err &&
	settings database >actual &&
	test_grep "me:secret@host" actual
'

# ---- Protection ----------------------------------------------------------------------------------

test_expect_success 'protected only tightens' '
	test_when_finished "git config --remove-section rollback.database.production" &&
	rollback_file <<-\END &&
	[database "production"]
	url = service=production
	protected = true
	END
	settings database >actual &&
	echo "production: service=production (.gitrollback:2) protected" >expect &&
	test_cmp expect actual &&
	settings remember &&
	echo true >expect &&
	git config --local rollback.database.production.seenProtected >actual &&
	test_cmp expect actual &&

	sed "s/protected = true/protected = false/" .gitrollback >x && mv x .gitrollback &&
	settings database >actual &&
	echo "production: service=production (.gitrollback:2) protected seen" >expect &&
	test_cmp expect actual &&
	sed "/protected/d" .gitrollback >x && mv x .gitrollback &&
	settings database >actual &&
	test_cmp expect actual &&

	git config rollback.database.production.protected false &&
	settings database >actual &&
	echo "production: service=production (.gitrollback:2) seen" >expect &&
	test_cmp expect actual
'

test_expect_success 'what was remembered is no database' '
	test_when_finished "git config --remove-section rollback.database.production" &&
	git config rollback.database.production.seenProtected true &&
	settings databases >actual &&
	test_must_be_empty actual &&
	settings database >actual &&
	echo none >expect &&
	test_cmp expect actual
'

test_expect_success 'nothing is remembered of what is not protected; all worktrees share it' '
	test_when_finished "git config --remove-section rollback.database.b" &&
	with_git database.a.url service=a &&
	settings remember a &&
	test_must_fail git config rollback.database.a.seenProtected &&
	git worktree add -q ../other &&
	test_when_finished "git worktree remove -f ../other" &&
	printf "[database \"b\"]\nurl = service=b\nprotected = yes\n" >../other/.gitrollback &&
	(cd ../other && settings remember b) &&
	git config --local rollback.database.b.seenProtected
'

test_expect_success 'remembering waits for the lock of the configuration' '
	test_when_finished "git config --remove-section rollback.database.c" &&
	git config rollback.database.c.url service=c &&
	git config rollback.database.c.protected true &&
	>.git/config.lock &&
	mkdir "$TEST_ROOT/wrapper" &&
	real_git=$(command -v git) &&
	cat >"$TEST_ROOT/wrapper/git" <<-END &&
	#!/bin/sh
	case "\$*" in
	*"config --local"*)
		echo "\$*" >>"$TEST_ROOT/attempts"
		test \$(wc -l <"$TEST_ROOT/attempts") -lt 2 || rm -f "$PWD/.git/config.lock"
		;;
	esac
	exec "$real_git" "\$@"
	END
	chmod +x "$TEST_ROOT/wrapper/git" &&
	(PATH=$TEST_ROOT/wrapper:$PATH && settings remember c) &&
	test_line_count = 2 "$TEST_ROOT/attempts" &&
	git config --local rollback.database.c.seenProtected &&
	git config --unset rollback.database.c.seenProtected &&
	>.git/config.lock &&
	test_when_finished "rm -f .git/config.lock" &&
	test_expect_code 128 settings remember c 2>err &&
	test_grep "could not change git.s configuration: could not lock config file" err &&
	rm .git/config.lock
'

test_done
