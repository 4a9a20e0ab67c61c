import TestSupport
import Testing

@testable import ShellReading

/// What a shell command proves about a declared one, cell by cell: what it says for exit 0 and for exit 1.
@Suite(.blocking) struct ShellTableTests {
  private static let workspace = "/home/me/work"

  private func result(_ command: String, _ exitCode: Int?, declared: String = "swift test") -> String {
    var tally = VerificationTally(declared: [declared], workspace: ShellTableTests.workspace)
    tally.recordShell(command: command, exitCode: exitCode, at: 1, id: "p")
    return tally.report(known: .all).declared[0].result
  }

  private func expect(_ command: String, _ zero: String, _ one: String, declared: String = "swift test") {
    #expect(result(command, 0, declared: declared) == zero, "exit 0")
    #expect(result(command, 1, declared: declared) == one, "exit 1")
    if zero != "not run" { #expect(result(command, nil, declared: declared) == "unknown", "no exit code") }
  }

  // MARK: What proves both

  @Test(
    arguments: [
      "swift test", "  swift   test ", "'swift' \"test\"", "sw''ift te\\st", "CI=1 swift test", "export CI=1 && swift test", "CI=1 && swift test",
      "CI=1; swift test", "bash -lc 'swift test'", "bash -c \"swift test\"", "sh -c 'swift test'", "/bin/zsh -lc 'CI=1 swift test'", "bash -l -c 'swift test'",
      "dash -c 'swift test'", "swift test 2>&1", "swift test < /dev/null", "swift test >/dev/null 2>&1", "swift test # the check", "env CI=1 swift test",
      "time swift test", "nohup swift test", "command swift test", "timeout 600 swift test", "timeout -k 5 10m swift test",
      "timeout --signal=KILL 60 swift test", "nice swift test", "nice -n 5 swift test", "/usr/bin/env A=1 /bin/nice swift test", "swift \\\n  test",
      "bash -c 'bash -c \"swift test\"'", "# first\nswift test\n", "swift test;", "make ; swift test", "make\nswift test", "make && echo ok; swift test",
      "make || true; swift test", "make | tail -3; swift test", "! make; swift test", "echo 'a; b' ; swift test", "echo \"$HOME\"; swift test",
      "echo $HOME ${USER}; swift test", "[ -f a ]; swift test", "test -d x || mkdir x; swift test", "cd /home/me/work && swift test", "cd . && swift test",
      "cd ./ && cd /home/me/../me/work/ && CI=1 swift test", "cd ../work && cd ../../me/./work && swift test",
      "timeout 9 bash -c 'swift test'", "cd pkg; swift test", "swift test\n\n# done",
      "command -v swift; swift test", "find . -name '*.x' -exec cat {} +; swift test", "A=1 make; swift test", "echo swift test; swift test",
      "git commit -m 'swift test'; swift test", "git diff HEAD~1; swift test", "git log v''1~1 x=y a'b'=c; swift test",
      "echo \"a \\\n b\" <in >out; swift test", "swift build; swift test; swift test", "sudo make; swift test",
      "python3 -c \"print('swift test')\"; swift test", "PYTHONPATH=. python x.py; swift test", "bash setup.sh; swift test",
      "printf 'a %s\\n' b > f; swift test", "bash -c 'set -e; make'; swift test", "LC_ALL=C swift test", "LANG=en_US.UTF-8 swift test",
      "echo 'ä 💥'; swift test", "ls\n\n\nswift test", "make &&\n  echo x\nswift test", "swift test 2>/dev/null", "swift test 1>&2",
    ])
  func bothWays(_ command: String) { expect(command, "passed", "failed") }

  // MARK: What proves a pass only

  @Test(arguments: [
    // Something else may have failed.
    "make && swift test", "[ -f a ] && cd b && swift test", "cd a && make && swift test", "cd pkg && swift test", "cd -- 'a b' && swift test",
    "bash -lc 'cd pkg && swift test'", "cd 'a b' && CI=1 bash -c 'swift test'", "swift test && echo ok", "cd a && CI=1 swift test && echo ok",
    "swift test && a && b", "make && swift test && echo ok", "make; swift test && echo ok", "swift test && swift test", "swift build && swift test",
    "cd /home/me/work/pkg && swift test", "rm -rf x; cd . && swift test", "bash setup.sh && swift test", "swift test && bash deploy.sh",
    "echo x && swift test", "command -v swift && swift test", "swift test && git commit -m 'swift test'", "make || make all && swift test",
    // The file for its output may be what failed.
    // A folder on the way may not be there.
    "cd none/.. && swift test", "cd ./none/../. && swift test", "cd sub/../none/.. && swift test", "cd ../none/../work && swift test",
    "cd /home/you/../me/work && swift test",
    "swift test > log 2>&1", "swift test >> log", "> log swift test", "bash -c 'swift test' > log",
    // zsh ends at a pattern that fits nothing.
    "ls *.swift; swift test", "rm -f a?c; swift test", "echo [ab]; swift test",
  ])
  func passOnly(_ command: String) { expect(command, "passed", "unknown") }

  @Test(arguments: ["make || swift test", "a && b || swift test", "a || b || swift test"])
  func failureOnly(_ command: String) { expect(command, "unknown", "failed") }

  // MARK: What proves nothing

  @Test(arguments: [
    // Its exit code isn't the shell's.
    "swift test || make", "swift test || true", "swift test | tee log", "swift test 2>&1 | tail -5", "swift test ; echo done", "swift test\necho $?",
    "swift test &", "swift test & wait", "! swift test", "make | swift test", "swift test | swift test", "swift test; swift build", "swift test && a || b",
    "make & swift test", "bash -c 'swift test; true'", "bash -c 'swift test' | cat", "swift test; cd x", "! bash -c 'swift test'", "swift test\n:",
    // Forms that aren't read.
    "(swift test)", "{ swift test; }", "(cd pkg && swift test)", "for i in 1 2; do swift test; done", "while ! swift test; do sleep 1; done",
    "if swift test; then echo ok; fi", "case a in a) swift test;; esac", "out=$(swift test)", "echo `swift test`", "echo \"$(swift test)\"",
    "cat <<E\n$(swift test)\nE", "((swift test))", "[ -n \"$(swift test)\" ]", "f() { swift test; }; f", "function f { swift test; }; f", "eval 'swift test'",
    "(swift test; true)", "bash -c \"$pre; swift test\"", "{ swift test; } | cat", "set -o pipefail; swift test | tee log", "until swift test; do :; done",
    "[[ a b ]]; swift test", "grep -q x <<< \"$y\"\nswift test", "swift test <<'EOF'\nX; exit 0\nEOF", "cat > f <<'EOF'\nexit 0\nEOF\nswift test",
    "for f in a b; do echo $f; done; swift test", "if [ -f a ]; then make; fi; swift test", "A=$(make); swift test", "cd x || exit 1; swift test",
    "set -e; make; swift test", "set -euo pipefail\nmake\nswift test", "[ -f a ] || exit 0; swift test", ". ./env.sh && swift test",
    "source .venv/bin/activate && swift test", "$setup; swift test", "trap 'exit 0' EXIT; swift test", "alias swift=true\nswift test",
    "swift() { true; }; swift test", "(exit 0); swift test", "set -n; swift test", "exec swift test", "exec true; swift test", "exit 0; swift test",
    "return 0; swift test", "eval exit; swift test", "shopt -s x; swift test", "setopt x; swift test", "hash -p /bin/true swift; swift test",
    "enable -f x y; swift test", "builtin exit; swift test", "command exit 0; swift test", "time exit 0; swift test", "kill $$; swift test",
    "'exit' 0; swift test", "\\exit 0; swift test", "ex''it 0; swift test", "noglob swift test", "nocorrect swift test", "- swift test", "coproc swift test",
    "repeat 1 swift test", "swift test |& cat", "swift test &> log", "swift test >& log", "swift test >| log", "swift test 3>&1", "swift test <> f",
    "swift test 10> log", "swift test > $log", "swift test > ~/log", "swift test > 'a'*", "swift test >!log", "ulimit -t 1; swift test",
    "umask 0; swift test", "readonly CI; swift test", "unset PATH; swift test", "typeset -x A=1; swift test", "declare A=1; swift test",
    "local A; swift test", "read A; swift test", "A+=1 swift test", "A=(1 2); swift test", "A[0]=1; swift test", "a=1 swift test", "path=/x; swift test",
    "status=1; swift test", "let x=1; swift test", "printf -v PATH x; swift test", "printf %d path=5; swift test", "[ path=5 -eq 5 ]; swift test",
    "[ -v x ]; swift test", "test $x; swift test", "export PATH=/x; swift test", "export path=/x; swift test", "export $x; swift test",
    "export -f f; swift test", "export > x; swift test", ": > none/none; swift test", "A=1 : ; swift test", "> none/none; swift test", "A=1 > f; swift test",
    "A=1 cd x; swift test", "command cd x; swift test", "time cd x; swift test", "echo $x[1]; swift test", "echo $x:h; swift test",
    "echo ${x:-1}; swift test", "echo ${x[1]}; swift test", "echo $'a'; swift test", "echo $\"a\"; swift test", "echo $((1)); swift test",
    "echo $[1]; swift test", "echo $1; swift test", "echo $@; swift test", "echo $+x; swift test", "echo =ls; swift test", "echo ~me; swift test",
    "echo a=~b; swift test", "echo {a,b}; swift test", "echo }; swift test", "echo a}; swift test", "cat <(ls); swift test", "ls *(N); swift test",
    "echo a; ; swift test", "; swift test", "&& swift test", "! ! swift test", "!\nswift test", "make ;; swift test", "swift test && ", "swift test |",
    "swift test )", "echo 'a ; swift test", "echo \"a ; swift test", "if true; swift test", "swift test; coproc x", "swift test \\", "pushd x; swift test",
    "popd; swift test", "wait; swift test", "%1; swift test", "a=b; $a; swift test", "\"$x\"; swift test", "*; swift test", "./*; swift test",
    "[ab]; swift test", "echo \u{1}; swift test", "ls\r\nswift test", "swift test\r; ls; swift test", "l\\\ns; swift test", "é; swift test",
    "echo é; swift test", "zmodload x; swift test", "emulate sh; swift test", "select a in b; do swift test; done",
    "swift test ^ cat; swift test^; (swift test)",
    // zsh ends at `~none` and `=none` also where only what is empty stands before; in `export` with exit 0.
    "export A=''~none; swift test", "export A=\"$NONE\"~1; swift test", "export A=\"$NONE\"=none; swift test", "export A=\"x:\"~none; swift test",
    "cd sub && export A=''~none; swift test", "export A=x\\:$NONE''~none; swift test", "x ''~none; swift test", "x $NONE~none; swift test",
    "A=''~none swift test", "A=x:''~none; swift test", "cd ''~none; swift test", "git diff \"$BASE\"~1; swift test", "git log $BASE~1; swift test",
    "x ${NONE}=none; swift test", "x > ''~none; swift test",
    // A line that goes on behind what is replaced belongs to it.
    "export A=\"$NONE\\\n[1+]\"; swift test", "x \"$?\\\n[1+]\"; swift test", "x \"$NO\\\nNE[1+]\"; swift test", "x \"$\\\nNONE[1+]\"; swift test",
    "x \"${NONE}\\\n\\\n[1+]\"; swift test", "x $NONE\\\n[1+]; swift test", "swift \"$\\\nX\"", "swift \"$X\\\nY\"", "x &\\\n& swift test",
    "f() { swift $~1; }; f test", "swift $#x", "swift \"$^X\"", "echo $'a\\'b'\nprintf 'swift%s' ' test' | sh",
    // A pattern of numbers to zsh.
    "echo <->.txt || swift test", "echo <1-5>.txt || swift test", "echo a<-5>b || swift test", "echo <5->b && swift test; swift test",
    // Variables that make another command of it.
    "PATH=/x swift test", "PATH=/x; swift test", "BASH_ENV=x bash -c 'swift test'", "ENV=x sh -c 'swift test'", "SHELLOPTS=noexec bash -c 'swift test'",
    "LD_PRELOAD=x swift test", "DYLD_INSERT_LIBRARIES=x swift test", "env PATH=/x swift test", "export LD_LIBRARY_PATH=x && swift test", "IFS=x; swift test",
    "HOME=/x swift test", "MAKEFLAGS=-n swift test", "PYTHONOPTIMIZE=1 swift test", "SKIP=x swift test", "GTEST_FILTER=a swift test",
    "NODE_OPTIONS=x swift test", "PYTHONPATH=x swift test", "CDPATH=/; cd tmp; swift test",
    "UID=5 swift test", "POSIXLY_CORRECT=1; swift test", "ZDOTDIR=x zsh -c 'swift test'", "BASH_FUNC_swift=x; swift test", "PS4=x; swift test",
    "LC_ALL=ja_JP.SJIS swift test", "CFLAGS=x swift test", "GIT_DIR=x swift test", "PWD=/; swift test", "STTY=x swift test", "ARGV0=x swift test",
    "_=x; swift test", "_POSIX2_VERSION=1 swift test", "RANDOM=1; swift test",
    // Not by the known programs, or not in a way that is known.
    "./env swift test", "bin/timeout 5 swift test", "/tmp/bash -c 'swift test'", "sudo swift test", "ssh host 'swift test'", "env -i swift test",
    "env -S 'swift test'", "env -u A swift test", "nice -20 swift test", "timeout swift test", "timeout --preserve-status 5 swift test",
    "timeout -x 5 swift test", "time -p swift test", "xargs swift test", "bash -ec 'swift test'", "bash -ic 'swift test'", "bash -c 'swift test' x y",
    "bash -xc 'swift test'", "bash -c -- 'swift test'", "bash -O extglob -c 'swift test'", "fish -c 'swift test'", "command -p swift test",
    "exec -a x swift test", "setsid swift test", "stdbuf -oL swift test", "script -qc 'swift test' /dev/null", "watch 'swift test'",
    "docker run x swift test", "npx -c 'swift test'; xargs swift test", "find . -exec swift test \\;", "git bisect run swift test",
    "git rebase -x 'swift test' main; swift test | cat", "su -c 'swift test'", "busybox sh -c 'swift test'", "echo 'swift test' | bash",
    "bash <<EOF\nswift test\nEOF", "bash <<< 'swift test'", "echo swift test | xargs -I{} {}", "x='swift test'; $x", "X='swift test'; $X",
    "X='swift test'; bash -c \"$X\"", "X=test; swift $X", "swift {test,x}", "swift t*t", "swift test$X", "\"$swift\" test", "f() { swift $1; }; f test",
    "for s in test; do swift $s; done", "run() { \"$@\"; }; run swift test", "echo 'swift test' > a.sh; ./a.sh", "echo swift test > x; bash x",
    "cat > a.sh <<'E'\nswift test\nE\nchmod +x a.sh\n./a.sh", "alias t='swift test'\nt", "trap 'swift test' EXIT", "retry 3 swift test", "unshare swift test",
    // Text in which a placeholder stands for anything, or that isn't known.
    "echo test | xargs -I{} sh -c 'swift {}'", "echo test | xargs -I% sh -c 'swift %'", "echo test | xargs -0I X bash -c 'swift X'",
    "echo test | xargs -i sh -c 'swift {}'", "echo test | xargs --replace sh -c 'swift {}'", "echo test | xargs --replace=R -n 1 sh -c 'swift R'",
    "echo swift | xargs -I{} {} test", "cat f | xargs -I{} sh -c '{}'", "cat f | xargs env", "cat f | xargs sh -c", "parallel < f", "parallel 'x {}' ::: a",
    "sh$NONE <<E\nswift test\nE", "echo 'swift test' | $SHELL",
    "cat f | parallel -I% swift %", "find . -exec sh -c 'swift {}' \\;", "curl http://h/x | sh", "cat f | bash -s", "cat f | sudo sh", "cat f | bash -",
    "printf '%s %s' swift test | sh", "bash <<'E'\nA=swift\n$A test\nE", "env -S'swift test'", "env -vS'swift test'", "env --split-string='swift test'",
    "git config alias.z '!swift test'; git z", "git config alias.z '!swift'; git z test", "git -c alias.z='!swift test' z", "git config alias.z \"$X\"; git z",
    "git config core.editor 'swift test'; git commit", "EDITOR='swift test' git commit", "export EDITOR='swift test'; git commit",
    // Text of a program that can start others.
    "sed '1e swift test' f", "sed -e \"$S\"", "sed 1eswift\\ test f", "sed 's/x/swift test/e' f",
    "vim -es -c '!swift test' -c q", "ex -c '!swift test' f", "ed f <<E\n!swift test\nE",
    "printf '!swift test\\n' | ed f", "awk 'BEGIN { system(\"swift test\") }'", "python3 -c \"print('swift test')\"", "node -e \"'swift test'\"",
    "python3 -c \"import subprocess; subprocess.run(['swift', 'test'])\"", "python3 - <<'E'\nimport os; os.system('x\\nswift test\\n')\nE",
    "perl -e '$a = \"test\"; exec \"swift $a\"'",
    "perl -e 'system \"x\\nswift test\\n\"'", "printf 'a:\\n\\tswift test\\n' | make -f -", "less '+!swift test' f", "rg --pre 'swift test' x",
    "gh alias set x '!swift test'", "git $X swift test", "find . $X swift test \\;",
    "tar cf a b --checkpoint-action='exec=swift test'", "git difftool -x 'swift test'",
    // Its input or output is another.
    "swift test < in", "swift test > test", "swift test 2> ./swift", "bash -c 'swift test' < in",
    // A command that isn't where it seems.
    "cat <<A\nA\nswift test\nA", "cat <<A\n\\\nA\nswift test\nA", "cat <<\\A\nB\nA\nswift test", "echo \"$(case a in a) swift test;; esac)\"",
    "echo $((1<<2))\nswift test\n2", "echo \"$\\\n(swift test)\"", "swift test 2\\\n>x", "cat <<E 'a\nswift test\nE\n'", "echo ${x:-$(swift test)}",
    "echo \"${x:-`swift test`}\"", "echo \"`echo \\`swift test\\``\"", "cat <<E $(swift test)\nE", "cat <(swift test)", "tee >(swift test)",
    "swift test # a\nb <<E",
  ])
  func unknownBothWays(_ command: String) { expect(command, "unknown", "unknown") }

  // MARK: Where it is not run

  @Test(arguments: [
    "echo swift test", "swift test --filter A", "swift build", "grep -r 'swift test' .", "git commit -m 'swift test passes'", "git commit -m \"swift test\"",
    "git commit -m 'swift test' && bash deploy.sh", "echo 'swift test'; ssh host ls", "cat > a.sh <<'EOF'\nswift test\nEOF",
    "cat > README.md <<EOF\nRun swift test.\nEOF", "echo 'swift test' > todo", "npm install test", "ls", "",
    "git commit -m \"$(cat <<'EOF'\nRun swift test\n\nswift test\nEOF\n)\"", "# swift test", "ls # swift test", "printf 'swift test\\n'",
    "cat <<-'E' > x\n\tswift test\n\tE\nls", "gh pr create --body 'swift test'",
    "(ls; echo 'swift test')", "for f in swift test; do echo $f; done", "[[ -f 'swift test' ]]", "swift\u{a0}test", "swi\u{fb00}t test", "Swift test",
    "swift Test", "grep \"swift test\" <<< x", "x=$(grep 'swift test' f); echo \"$x\"", "swift test.", "swift testing", "swift 'test '", "swift 'test\n'",
    "swift \"\" test", "bash -c 'echo swift test'", "bash -c \"grep 'swift test' f\"", "command -v swift test", "which swift test",
    "rg 'swift test'", "curl -d 'swift test' http://h/", "sed -i s/a/b/ f", "for f in src/*.ts; do sed -i 's/a/b/' \"$f\"; done", "sed -n 1,50p $F",
    "less \"$F\"", "rg 'swift test' --pretty", "awk '{print $1}' f", "python3 -c 'print(1)'; echo 'swift test'",
    "MSG='swift test passes'; git commit -m \"$MSG\"", "make | tee log", "find . -name '*.x' | xargs -I{} cp {} d", "ls | xargs sh -c 'wc -l \"$@\"' _",
    "bash --version", "which bash", "git config user.name me", "git config alias.st status", "env -u A x", "swift run 'test'", "x 'swift tests'",
  ])
  func notRun(_ command: String) { expect(command, "not run", "not run") }

  // MARK: Exit codes

  @Test func exitCodesThatMayBeAnothersProveNoFailure() {
    for (command, code, expected) in [
      ("swift test", 1, "failed"), ("swift test", 2, "failed"), ("swift test", 125, "failed"), ("swift test", 124, "failed"), ("swift test", 126, "unknown"),
      ("swift test", 127, "unknown"), ("swift test", 134, "failed"), ("swift test", 139, "failed"), ("swift test", 137, "failed"),
      ("swift test", 255, "failed"),
      ("make; swift test", 137, "unknown"), ("make; swift test", 143, "unknown"), ("make; swift test", 255, "failed"), ("swift test", 256, "unknown"),
      ("swift test", -1, "unknown"), ("timeout 5 swift test", 124, "unknown"), ("timeout 5 swift test", 137, "unknown"), ("timeout 5 swift test", 3, "failed"),
      ("env A=1 swift test", 125, "unknown"), ("timeout 5 bash -c 'swift test'", 124, "unknown"), ("bash -c 'timeout 5 swift test'", 124, "unknown"),
      ("bash -c 'swift test'", 124, "failed"), ("cd x; swift test", 130, "failed"),
      ("cd x && swift test", 2, "unknown"), ("cd x && swift test", 3, "failed"), ("cd x && make && swift test", 3, "unknown"),
      ("swift test > log", 2, "unknown"), ("swift test > log", 3, "failed"), ("cd x && swift test > log && ls", 3, "unknown"),
      ("cd x && cd y && swift test", 3, "failed"),
      ("timeout 5 swift test", 143, "unknown"), ("cd . && timeout -s INT 5 swift test", 130, "unknown"), ("bash -c 'timeout 5 swift test'", 143, "unknown"),
      ("timeout 5 swift test", 200, "failed"), ("cd none/.. && swift test", 3, "failed"),
    ] as [(String, Int, String)] {
      #expect(result(command, code) == expected, "\(command), exit \(code)")
    }
    // zsh's own is exit 1.
    for declared in ["t *.c", "t a?", "t [ab]", "t 'a'*; x"] { #expect(result(declared, 2, declared: declared) == "failed", "\(declared)") }
    #expect(result("timeout 5 swift test", 124, declared: "timeout 5 swift test") == "failed")
  }

  // MARK: Folders

  @Test(arguments: [
    ("cd /tmp && swift test", "unknown"), ("cd .. && swift test", "unknown"), ("cd pkg/../.. && swift test", "unknown"),
    ("cd /home/me/work2 && swift test", "unknown"), ("cd - && swift test", "unknown"), ("cd && swift test", "unknown"),
    ("cd \"$X\" && swift test", "unknown"), ("cd $HOME/work; swift test", "unknown"), ("cd p*; swift test", "unknown"),
    ("cd -P pkg && swift test", "unknown"), ("cd '' && swift test", "unknown"), ("cd a b && swift test", "unknown"), ("cd +1 && swift test", "unknown"),
    ("cd /tmp; swift test", "unknown"), ("cd .. && make; swift test", "unknown"), ("cd .. || make; swift test", "unknown"),
    ("cd pkg && cd .. && swift test", "passed"), ("cd .. && cd work && swift test", "passed"), ("cd /tmp && cd /home/me/work/a && swift test", "passed"),
    ("bash -c 'cd /tmp'; swift test", "passed"), ("bash -c 'cd /tmp && swift test'", "unknown"), ("cd /tmp | cat; swift test", "unknown"),
    ("cd pkg || cd lib; swift test", "passed"), ("cd a; cd b; cd ../c; swift test", "unknown"), ("cd //home/me//work && swift test", "passed"),
    ("cd a; cd b; cd c; swift test", "passed"), ("! cd pkg; swift test", "unknown"), ("cd /home/me/work/\u{e9} && swift test", "unknown"),
  ])
  func elsewhereIsNotThisWorkspace(_ command: String, _ expected: String) { #expect(result(command, 0) == expected) }

  @Test func theFoldersAreReported() {
    func folders(_ command: String, startedIn folder: String? = nil) -> [String]? {
      DeclaredCommand("swift test").finding(in: ShellCommand(command), exitCode: 0, startedIn: folder)?.folders
    }
    #expect(folders("swift test") == ["."])
    #expect(folders("swift test", startedIn: "/w/") == ["/w"])
    #expect(folders("cd a/./b && swift test", startedIn: "/w") == ["/w/a/b"])
    #expect(folders("cd ../../.. && swift test", startedIn: "/w") == ["/"])
    #expect(folders("cd ../a && swift test") == ["../a"])
    #expect(folders("cd a; swift test") == [".", "a"])
    #expect(folders("cd $A; swift test") == nil)
    let inside = DeclaredCommand("t").finding(in: ShellCommand("cd a; t"), exitCode: 0, startedIn: "/w")
    #expect(inside?.isInside("/w") == true && inside?.isInside("/w/a") == nil && inside?.isInside("/v") == false)
  }

  // MARK: What comes after it

  @Test(arguments: [
    ("swift test", false), ("x; swift test 2>&1", false), ("swift test && echo 'ok'", false), ("swift test; cd x; pwd", false), ("swift test > log", false),
    ("bash -c 'x; swift test' && ls -l | head -1", false), ("swift test && x", true), ("swift test; x", true), ("swift test && echo a > b", true),
    ("swift test; git commit -m 'swift test'", true), ("swift test | cat", true), ("bash -c 'swift test; x'", true), ("bash -c 'swift test'; x", true),
    ("swift test || x", true), ("swift test; swift test", false), ("x=$(swift test)", true), ("sudo swift test", false), ("sudo swift test; x", true),
    ("# swift test\nswift test\n# x", false),
  ])
  func whatMayChangeFilesAfterIt(_ command: String, _ expected: Bool) {
    #expect(DeclaredCommand("swift test").finding(in: ShellCommand(command), exitCode: 0)?.isFollowed == expected)
  }

  @Test func aDeclaredListIsFollowedByWhatComesBehindIt() {
    #expect(DeclaredCommand("a; b").finding(in: ShellCommand("x; a; b"), exitCode: 0)?.isFollowed == false)
    #expect(DeclaredCommand("a; b").finding(in: ShellCommand("a; b; x"), exitCode: 0)?.isFollowed == true)
    #expect(DeclaredCommand("a && b").finding(in: ShellCommand("a && b && x"), exitCode: 0)?.isFollowed == true)
    #expect(DeclaredCommand("(a)").finding(in: ShellCommand("(a)"), exitCode: 0)?.isFollowed == false)
  }

  // MARK: Declared commands of other shapes

  @Test(arguments: [
    ("x && a && b", "a && b", "passed", "unknown"), ("a && b", "a && b", "passed", "failed"), ("a  &&\n b # c", "a && b", "passed", "failed"),
    ("cd /home/me/work && a && b", "a && b", "passed", "failed"), ("x || a && b", "a && b", "unknown", "unknown"),
    ("a && b; c", "a && b", "unknown", "unknown"), ("a && b && c", "a && b", "passed", "unknown"), ("bash -c 'a; b'", "a; b", "passed", "failed"),
    ("x; a; b", "a; b", "passed", "failed"), ("a; b; x", "a; b", "unknown", "unknown"), ("a;\nb", "a; b", "passed", "failed"),
    ("a | b", "a|b", "passed", "failed"), ("a | b | c", "a | b", "unknown", "unknown"), ("a || b", "a || b", "passed", "failed"),
    ("x && a || b", "a || b", "unknown", "unknown"), ("a || b && c", "a || b", "passed", "unknown"), ("! grep -q x f", "! grep -q x f", "passed", "failed"),
    ("make; ! grep -q x f", "! grep -q x f", "passed", "failed"), ("A=1 b", "A=1 b", "passed", "failed"), ("env A=1 b", "A=1 b", "passed", "failed"),
    ("A=2 b", "A=1 b", "unknown", "unknown"), ("b", "A=1 b", "not run", "not run"), ("export A=1; b", "A=1 b", "unknown", "unknown"),
    ("B=2 A=1 b", "A=1 b", "passed", "failed"), ("PATH=x b", "PATH=x b", "passed", "failed"), ("PATH=y b", "PATH=x b", "unknown", "unknown"),
    ("  coproc x", "coproc x", "passed", "failed"), ("bash -c 'coproc x'", "coproc x", "passed", "failed"), ("(a; b)", "(a; b)", "passed", "failed"),
    ("cd x && (a; b)", "(a; b)", "unknown", "unknown"), ("[[ -f a ]]", "[[ -f a ]]", "passed", "failed"),
    ("test -s g.txt", "test -s g.txt", "passed", "failed"), ("make && test -s g.txt", "test -s g.txt", "passed", "unknown"),
    ("[ -s g ]", "[ -s 'g' ]", "passed", "failed"), ("pytest a[b]", "pytest a[b]", "passed", "unknown"),
    ("pytest 'a[b]'", "pytest a[b]", "unknown", "unknown"), ("pytest tests/*.py", "pytest tests/*.py", "passed", "unknown"),
    ("t *.none", "t *.none", "passed", "unknown"), ("x; t ?", "x; t ?", "passed", "unknown"), ("(t *.none)", "(t *.none)", "passed", "unknown"),
    ("[[ a = b* ]]", "[[ a = b* ]]", "passed", "failed"), ("t \"$NONE\\\ncheck\"", "t \"$NONE\"check", "unknown", "unknown"),
    ("cd pkg && pytest tests/*.py", "pytest tests/*.py", "unknown", "unknown"), ("F=x; t $F", "t $F", "unknown", "unknown"),
    ("t \"$F\"", "t \"$F\"", "passed", "failed"), ("t $F", "t \"$F\"", "unknown", "unknown"), ("t > log", "t > log", "passed", "failed"),
    ("t > log 2>&1", "t > log", "passed", "failed"), ("t", "t > log", "unknown", "unknown"), ("t", "t 2>&1", "passed", "failed"),
    ("t 2>&1", "t", "passed", "failed"), ("t > log2", "t > log", "unknown", "unknown"), ("cd pkg && t", "cd pkg && t", "passed", "failed"),
    ("t", "cd pkg && t", "unknown", "unknown"), ("cd other && t", "cd pkg && t", "unknown", "unknown"),
    ("cd pkg && t; cd pkg && t", "cd pkg && t", "unknown", "unknown"), ("timeout 5 t", "timeout 5 t", "passed", "failed"),
    ("t", "timeout 5 t", "not run", "not run"), ("bash -c 't'", "bash -c 't'", "passed", "failed"),
    ("t 'caf\u{e9}'", "t 'cafe\u{301}'", "not run", "not run"), ("t 'caf\u{e9}'", "t 'caf\u{e9}'", "passed", "failed"),
    ("t caf\u{e9}", "t caf\u{e9}", "passed", "failed"), ("t '\u{212a}'", "t K", "not run", "not run"), ("\u{212a}", "K", "not run", "not run"),
    ("t\u{37e} x", "t; x", "not run", "not run"), ("npm run test", "npm test", "not run", "not run"), ("pip install pytest", "pytest", "not run", "not run"),
    ("which pytest", "pytest", "not run", "not run"), ("uv run pytest", "pytest", "unknown", "unknown"), ("python -m pytest", "pytest", "unknown", "unknown"),
    ("sudo make", "make", "unknown", "unknown"), ("cmake", "make", "not run", "not run"), ("chmod +x t.sh", "t.sh", "not run", "not run"),
    ("./t.sh", "t.sh", "unknown", "unknown"), ("/usr/bin/make", "make", "unknown", "unknown"), ("cd a && b", "b && c", "not run", "not run"),
    ("make -C a", "make", "not run", "not run"), ("echo 'a", "echo 'a", "passed", "failed"), ("T=1; t", "T=1", "unknown", "unknown"),
  ])
  func otherDeclarations(_ command: String, _ declared: String, _ zero: String, _ one: String) { expect(command, zero, one, declared: declared) }

  // MARK: Limits

  @Test func whatIsntKnownWholeIsUnknown() {
    func verdict(_ text: String, isCut: Bool = false) -> ShellVerdict? {
      DeclaredCommand("swift test").finding(in: ShellCommand(text, isCut: isCut), exitCode: 0)?.verdict
    }
    #expect(verdict("ls", isCut: true) == .unknown)
    #expect(verdict("swift test # " + String(repeating: "x", count: 100_000)) == .passed)
    #expect(verdict("swift test # " + String(repeating: "x", count: ShellCommand.byteLimit)) == .unknown)
    #expect(verdict("cat > f <<'E'\n" + String(repeating: "swift test\n", count: 10_000) + "E\n") == nil)
    #expect(verdict("cat > f <<'E'\n" + String(repeating: "swift test\n", count: 10_000) + "E\nswift test") == .unknown)
  }

  @Test func everyUnknownSaysWhy() {
    for command in ["swift test | cat", "[[ a ]]; swift test", "sudo swift test", "PATH=x swift test", "swift test > test", "cd /; $(swift test)"] {
      let finding = DeclaredCommand("swift test").finding(in: ShellCommand(command), exitCode: 0)
      #expect(finding?.verdict == .unknown && finding?.why?.isEmpty == false && finding?.exitCode == nil, "\(command)")
    }
  }
}
