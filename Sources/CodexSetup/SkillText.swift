/// `skills/opencode-worker/SKILL.md` of the plugin. Codex reads the whole of it when it is used: short.
package enum SkillText {
  package static let file = """
    ---
    name: opencode-worker
    description: Delegate implementation work (a feature, fix, refactoring, tests, a migration) to OpenCode in the background and review the result. Use when asked to delegate to OpenCode or to hand coding to a background worker.
    ---

    # Delegating to OpenCode

    You plan and review; OpenCode writes the code. One run at a time, in one folder.

    **Delegate** work that is well described and can be checked: a feature with tests, a bug with a reproduction, a mechanical refactoring. **Keep** what takes you a minute, what you would have to explain longer than to do, what needs the user's decisions on the way, and secrets.

    ## 1. Write the task
    OpenCode sees neither this conversation nor your plan. `message`: the goal, the files and functions concerned, what must not change, the conventions to follow. Then, in fields of their own:
    - `acceptanceCriteria`: what must be true at the end, one sentence each.
    - `verificationCommands`: the exact commands that prove it (`npm test`). They are told to OpenCode and looked up in its log afterwards.
    - `verify`: when they are quick and may run with the user's rights; the worker then runs those itself that the log doesn't prove.
    - `cwd` if it isn't your workspace; `permissions: "read-only"` for an analysis.

    ## 2. One call
    `opencode_run_and_wait` starts it and replies with the review. In code mode the script's first line is `// @exec: {"yield_time_ms": 3600000}`, or each ten seconds of waiting cost a request.
    - `timedOut: true`: still running; call `opencode_wait` again, as often as needed.
    - `early`: the provider refuses, or no sign for long. Tell the user what `next` says and ask; the run goes on.
    - `busy`: another run is alive, perhaps another conversation's: the reply says which. Wait for it, don't work around it; what it changed is not yours.
    For other work meanwhile: `opencode_start`, later `opencode_wait`; `opencode_status` for a look.

    ## 3. Review: facts before words
    1. `state`: only `completed` is a normal end. `incomplete`, `failed`, `lost`: read `reason`.
    2. `attention`: what would otherwise be missed. Deal with each line.
    3. `verification.declared`: each must be `passed` and not `editedAfter`. `not run` or `unknown`: run it yourself.
    4. `changedFiles`: is each file in scope? `opencode_changed_files` with `patch: true` shows the diff: read it. `exact: false`: use git too.
    5. Each acceptance criterion against the diff. `answer` is a claim, not evidence.

    ## 4. A gap
    Continue the same session, which knows the context: `opencode_run_and_wait` with `session` from the reply and a `message` that says only what is missing or wrong, with file, line and the failing output. After two rounds without progress finish it yourself.

    ## Never
    - End a turn while a run of yours is alive or not reviewed.
    - Edit files in the run's folder while it is alive, or start a second OpenCode by shell.
    - Report success because the run ended or `answer` says so.
    - Kill or stop a run: there is no tool for that. When it must stop, tell the user; `opencode-worker status` in their terminal says how.
    - Use `dangerouslySkipPermissions` or `permissions: "full"` unless the user asked for it. No preset confines the shell.

    """
}
