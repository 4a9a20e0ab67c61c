import Foundation
import OpenCode
import PosixSupport
import Runs
import ShellReading
import Text
import Workspace

/// The whole review as one page: no script, nothing from the network, at most 5 MB for any run.
package struct ReportPage {
  private let run: RunSnapshot
  private let review: RunReview
  private let attention: [String]
  private let story: RunStory
  private let changes: ChangedFiles?
  private let git: String?
  private let mask: (String) -> String
  private let time = LocalTime()
  /// What the long parts may take of their bounds: less where the whole would be too large.
  private let share: Double

  /// What no page is larger than.
  package static let limit = 5_000_000
  private static let diffBytes = 2_000_000
  private static let oneDiffBytes = 200_000
  private static let diffFiles = 300
  private static let nameBytes = 400_000
  private static let storyBytes = 1_000_000
  /// Of lists that somebody else may have made long.
  private static let rows = 100

  /// - Parameters:
  ///   - environment: PATH tells where git is
  ///   - mask: hides what looks like a secret
  package static func html(_ run: RunSnapshot, attention: [String], environment: [String: String], mask: @escaping (String) -> String) -> String {
    guard let review = run.review else { return "" }
    let story = RunStory(run.folder, generation: run.record.request.installation.version.generation, from: run.record.startedAt, to: review.endedAt)
    let changes = Stored.load(ChangedFiles.self, from: run.folder.changes)
    let git = ProgramFinder.locate("git", path: environment["PATH"], workspace: run.record.request.cwd)
    var document = ""
    // Escaped, a character may take six times its bytes: what comes out is measured.
    for share in [1, 0.4, 0.1, 0.01] {
      document =
        ReportPage(run: run, review: review, attention: attention, story: story, changes: changes, git: git, mask: mask, share: share).document
      if document.utf8.count <= limit { break }
    }
    return document
  }

  private func part(of bytes: Int) -> Int { Int(Double(bytes) * share) }

  /// Masked and escaped.
  private func text(_ text: String, _ bytes: Int = 4_000) -> String { HTML.text(mask(TextCut.headAndTail(text, bytes: bytes))) }

  private var document: String {
    let title = text(run.record.request.title, 200)
    let body = [header, figures, first, checks, criteria, timeline, files, story(of: story), todo, steps, task, answer, footer].joined(separator: "\n")
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>\(title)</title><style>\(ReportPage.styles)</style></head>
      <body><main>
      \(body)
      </main></body></html>

      """
  }

  private func section(_ title: String, _ inside: String) -> String { inside.isEmpty ? "" : "<section><h2>\(title)</h2>\(inside)</section>" }

  private func list(_ rows: [String], class kind: String? = nil) -> String {
    let more = rows.count > ReportPage.rows ? note("\(Words.grouped(rows.count - ReportPage.rows)) more are not shown here.") : ""
    return rows.isEmpty ? "" : HTML.element("ul", class: kind, rows.prefix(ReportPage.rows).map { HTML.element("li", $0) }.joined()) + more
  }

  private func note(_ safe: String) -> String { HTML.element("p", class: "note", safe) }

  // MARK: - The top

  private var header: String {
    let tone = review.isWell ? "good" : review.outcome.state == .completed || review.outcome.state == .incomplete ? "fair" : "bad"
    let reason = review.outcome.reason.map { "<p class=\"reason\">\(text($0, 800))</p>" } ?? ""
    return """
      <header class="\(tone)"><p class="verdict">\(HTML.text(ShortReview.verdict(review)))</p><h1>\(text(run.record.request.title, 300))</h1>\(reason)
      <p class="note">\(text(run.record.request.cwd, 400)) · \(HTML.text(run.folder.id)) · ended \(HTML.text(time.full(review.endedAt)))</p></header>
      """
  }

  private var figures: String {
    let declared = review.verification.declared
    let passed = declared.filter(\.isProven).count
    let rows = [
      (Words.duration(run.seconds), "time"), (review.usage.cost.map(Words.money) ?? "unknown", "cost"),
      (review.usage.tokens.total > 0 ? Words.grouped(review.usage.tokens.total) : "unknown", "tokens"),
      (Words.grouped(review.changes.count), review.changes.exact ? "files changed" : "files changed, not exact"),
      (declared.isEmpty ? "none" : "\(passed)/\(declared.count)", "checks passed"),
    ]
    return "<dl class=\"figures\">" + rows.map { "<div><dd>\(HTML.text($0.0))</dd><dt>\($0.1)</dt></div>" }.joined() + "</dl>"
  }

  private var first: String { section("Look at this first", list(attention.map { text($0, 600) }, class: "first")) }

  private var checks: String {
    let rows = review.verification.declared.map { check -> String in
      let good = check.isProven
      var words =
        "<b class=\"\(good ? "good" : check.result == "failed" ? "bad" : "fair")\">\(HTML.text(check.result))</b> <code>\(text(check.command, 400))</code>"
      if let exit = check.exitCode, exit != 0 { words += " exit \(exit)" }
      words += " <span class=\"note\">\(check.by == nil ? "by OpenCode" : "by the worker")</span>"
      if check.editedAfter { words += " <span class=\"fair\">files were changed after it</span>" }
      if check.maybeEditedAfter == true { words += " <span class=\"fair\">shell commands came after it</span>" }
      if check.failedBefore == true { words += " <span class=\"note\">failed before</span>" }
      if let why = check.why { words += " <span class=\"note\">\(text(why, 300))</span>" }
      if let output = check.lastOutput { words += "<pre>\(text(output, 4_000))</pre>" }
      return words
    }
    let others = review.verification.undeclared.map { "<code>\(text($0.command, 300))</code>" + ($0.exitCode.map { " exit \($0)" } ?? "") }
    let more = others.isEmpty ? "" : "<p class=\"note\">Not asked for, but run:</p>" + list(others)
    return section("Checks", list(rows) + more)
  }

  private var criteria: String {
    let rows = run.record.request.acceptanceCriteria.map { "<label><input type=\"checkbox\"> \(text($0, 600))</label>" }
    return section("Acceptance criteria, for you to tick", list(rows, class: "criteria"))
  }

  private var timeline: String { section("Where the time went", Timeline.svg(story, from: run.record.startedAt, to: review.endedAt, isShort: share < 1)) }

  // MARK: - What it did

  private var files: String {
    var out = review.changes.exact ? "" : "<p class=\"fair\">Not exact: \(text(review.changes.why ?? "unknown why", 800))</p>"
    let rows = changes?.files ?? review.changes.files
    if rows.isEmpty { return section("Changed files", out + "<p>No file was changed.</p>") }
    var left = part(of: ReportPage.diffBytes)
    var rest: [ChangedFile] = []
    for (index, file) in shown(rows).enumerated() {
      guard index < ReportPage.diffFiles, left > 0 else {
        rest.append(file)
        continue
      }
      let element = "<summary>\(summary(of: file))</summary>\(diff(of: file, limit: min(ReportPage.oneDiffBytes, left)))"
      left -= element.utf8.count
      out += "<details\(index < 3 && element.utf8.count < 20_000 ? " open" : "")>\(element)</details>"
    }
    return section("Changed files", out + names(of: rest))
  }

  /// Where there isn't room for all, those come first of which somebody wants to see the diff: the user's own work, then what the edit tools did.
  private func shown(_ rows: [ChangedFile]) -> [ChangedFile] {
    guard rows.count > ReportPage.diffFiles else { return rows }
    func rank(_ file: ChangedFile) -> Int { file.lostWork == true ? 0 : file.dirtyBefore == true ? 1 : file.byTool == true || file.outside == true ? 2 : 3 }
    return rows.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }

  /// Of the files whose diffs have no room: what became of each, as far as that has.
  private func names(of rest: [ChangedFile]) -> String {
    guard !rest.isEmpty else { return "" }
    var left = part(of: ReportPage.nameBytes)
    let lines = rest.map { file in "\(file.change.rawValue) \(text(file.from.map { "\($0) → \(file.path)" } ?? file.path, 300))" }.prefix {
      left -= $0.utf8.count + 1
      return left > 0
    }
    let unnamed = rest.count > lines.count ? note("\(Words.grouped(rest.count - lines.count)) more have no room here either.") : ""
    let list = lines.isEmpty ? "" : "<details><summary>their names</summary><pre>\(lines.joined(separator: "\n"))</pre></details>"
    return note("The diffs of \(Words.counted(rest.count, "more file")) are not shown here: opencode-worker diff \(HTML.text(run.folder.id))") + list + unnamed
  }

  private func summary(of file: ChangedFile) -> String {
    var words = "<b>\(HTML.text(file.change.rawValue))</b> <code>\(text(file.from.map { "\($0) → \(file.path)" } ?? file.path, 500))</code>"
    if let added = file.added, let removed = file.removed { words += " <span class=\"good\">+\(added)</span> <span class=\"bad\">−\(removed)</span>" }
    var marks = [file.byTool == true ? "by OpenCode's edit tools" : "by its shell or someone else"]
    if file.dirtyBefore == true { marks.append("had uncommitted changes before") }
    if file.lostWork == true { marks.append("that work is gone from the work tree") }
    if file.binary == true { marks.append("binary") }
    if file.ignored == true { marks.append("ignored by git") }
    return words + " <span class=\"note\">\(marks.joined(separator: ", "))</span>"
  }

  private func diff(of file: ChangedFile, limit: Int) -> String {
    guard let changes else { return "<p class=\"note\">The diff is not kept.</p>" }
    guard let (patch, next) = try? changes.patch(paths: [file.path], runFolder: run.folder.path, git: git, limit: max(4, limit / 2), deadline: .after(10))
    else {
      return "<p class=\"note\">The diff can't be had.</p>"
    }
    let lines = patch.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      let safe = HTML.text(mask(String(line)))
      if line.hasPrefix("+"), !line.hasPrefix("+++") { return "<ins>\(safe)</ins>" }
      if line.hasPrefix("-"), !line.hasPrefix("---") { return "<del>\(safe)</del>" }
      return line.hasPrefix("@@") ? "<i>\(safe)</i>" : safe
    }
    return "<pre>\(lines.joined(separator: "\n"))</pre>" + (next == nil ? "" : note("The diff is cut here."))
  }

  private func story(of story: RunStory) -> String {
    let line = WatchLine(style: .plain, time: time)
    func rows(_ items: [LogFollower.Item]) -> [String] { items.compactMap(row) }
    func row(_ item: LogFollower.Item) -> String? {
      guard let words = line.text(item) else { return nil }
      let isBad: Bool
      switch item {
      case .providerError, .event(.error), .rejected: isBad = true
      case .event(.toolUse(let tool)): isBad = tool.status == .error || tool.timedOut || (tool.exitCode ?? 0) != 0 || tool.refusal != nil
      default: isBad = false
      }
      return isBad ? "<span class=\"bad\">\(text(words, 600))</span>" : text(words, 600)
    }
    // The end matters most: it has the larger part of the room.
    var (first, last) = (rows(story.items.first), rows(story.items.last))
    let room = part(of: ReportPage.storyBytes)
    let before = first.count + last.count
    last = ReportPage.fitting(last.reversed(), room * 2 / 3).reversed()
    first = ReportPage.fitting(first, room - last.reduce(0) { $0 + $1.utf8.count })
    let omitted = story.items.omitted + before - first.count - last.count
    let gap = omitted > 0 ? ["<b class=\"note\">(\(Words.grouped(omitted)) left out here: opencode-worker watch \(HTML.text(run.folder.id)))</b>"] : []
    let lines = first + gap + last
    guard !lines.isEmpty else { return "" }
    let title = "\(Words.grouped(story.items.count)) \(story.items.count == 1 ? "entry" : "entries")"
    return section("What it did", "<details><summary>\(title)</summary><pre>\(lines.joined(separator: "\n"))</pre></details>")
  }

  /// As many of the rows as fit into `bytes`.
  private static func fitting(_ rows: [String], _ bytes: Int) -> [String] {
    var left = bytes
    return Array(
      rows.prefix {
        left -= $0.utf8.count + 1
        return left >= 0
      })
  }

  private var todo: String {
    section(
      "Its todo list",
      list(
        run.digest.todos.map { todo in
          "<b class=\"\(todo.status == "completed" ? "good" : todo.status == "cancelled" ? "note" : "fair")\">\(text(todo.status, 40))</b> \(text(todo.content, 400))"
        }))
  }

  private var steps: String {
    guard story.steps.count > 0 else { return "" }
    func row(_ number: Int, _ step: RunStory.Step) -> String {
      let cells = [
        "\(number)", step.at.map(time.clock) ?? "", Words.grouped(step.tokens.input), Words.grouped(step.tokens.output + step.tokens.reasoning),
        Words.grouped(step.tokens.cacheRead), step.cost.map { $0 > 0 ? Words.money($0) : "unknown" } ?? "unknown", text(step.reason ?? "", 40),
      ]
      return "<tr>" + cells.map { HTML.element("td", $0) }.joined() + "</tr>"
    }
    let head = ["step", "ended", "input", "output", "from cache", "cost", "why it ended"].map { HTML.element("th", $0) }.joined()
    let omitted = story.steps.omitted
    let gap = omitted > 0 ? "<tr><td colspan=\"7\">\(Words.counted(omitted, "step")) left out here</td></tr>" : ""
    let rows = story.steps.first.map { row($0.number, $0.step) } + [gap] + story.steps.last.map { row($0.number, $0.step) }
    let missing = review.usage.missing.map { "<p class=\"fair\">\(text($0, 400))</p>" } ?? ""
    return section(
      "Tokens and cost by step",
      "\(missing)<details><summary>\(Words.counted(story.steps.count, "step"))</summary><table><tr>\(head)</tr>\(rows.joined())</table></details>")
  }

  private var task: String { section("The task as given", "<pre class=\"prose\">\(text(run.record.request.message, 60_000))</pre>") }

  private var answer: String {
    guard let answer = run.digest.answer, !answer.isBlank else { return section("Its answer", "<p>There is none.</p>") }
    return section("Its answer <small>(a claim, not evidence)</small>", "<pre class=\"prose\">\(text(answer.text, 40_000))</pre>")
  }

  private var footer: String {
    let request = run.record.request
    var words = ["OpenCode \(request.installation.version)"]
    if let model = request.model { words.append("model \(model)") }
    if let agent = request.agent { words.append("agent \(agent)") }
    if let session = run.digest.session { words.append("session \(session)") }
    return "<footer class=\"note\">\(text(words.joined(separator: " · "), 600))</footer>"
  }

  private static let styles = """
    :root{--ink:#1c1f23;--soft:#5d6670;--page:#fff;--card:#f5f6f8;--line:#dfe3e8;--good:#1a7f37;--fair:#8a5a00;--bad:#c62828;
    --model:#cfd6df;--shell:#4f7fd9;--edit:#2f9e63;--other:#9a7bd0}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--page:#14171a;--card:#1d2126;--line:#31373e;--good:#57c278;--fair:#e0a84a;--bad:#ff7b72;
    --model:#3a424c;--shell:#6f9bf0;--edit:#4cc38a;--other:#b79af0}}
    *{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    main{max-width:960px;margin:0 auto;padding:24px 16px 64px}h1{font-size:1.5rem;margin:.2em 0;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:2em 0 .5em}
    header{border-left:6px solid var(--soft);padding:2px 0 2px 16px}header p{margin:.3em 0}header.good{border-color:var(--good)}header.fair{border-color:var(--fair)}header.bad{border-color:var(--bad)}
    .verdict{font-size:1.15rem;font-weight:600;margin:0}header.good .verdict{color:var(--good)}header.fair .verdict{color:var(--fair)}header.bad .verdict{color:var(--bad)}
    .note,small,dt{color:var(--soft);font-size:.875rem}.note,li,p,code{overflow-wrap:anywhere}b.good,span.good{color:var(--good)}b.fair,span.fair,p.fair{color:var(--fair)}b.bad,span.bad{color:var(--bad)}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:8px;margin:20px 0}.figures div{background:var(--card);border-radius:8px;padding:10px 12px}
    .figures dd{margin:0;font-size:1.3rem;font-weight:600}dt{margin:0}ul{padding-left:1.2em;margin:.3em 0}ul.criteria{list-style:none;padding:0}
    ul.first{background:var(--card);border-left:4px solid var(--fair);border-radius:4px;padding:10px 10px 10px 30px}
    code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:var(--card);border-radius:6px;padding:10px;overflow-x:auto;margin:.5em 0}pre.prose{white-space:pre-wrap;overflow-wrap:anywhere}
    pre ins{color:var(--good);text-decoration:none}pre del{color:var(--bad);text-decoration:none}pre i{color:var(--shell);font-style:normal}
    details{border:1px solid var(--line);border-radius:6px;padding:6px 10px;margin:6px 0}summary{cursor:pointer;overflow-wrap:anywhere}
    svg{width:100%;height:56px;display:block}.scale{display:flex;justify-content:space-between;color:var(--soft);font-size:.75rem}.legend{margin:.5em 0}.legend span{margin-right:14px;font-size:.875rem;white-space:nowrap}.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:5px}
    table{border-collapse:collapse;font-size:.875rem;width:100%;display:block;overflow-x:auto}td,th{text-align:right;padding:3px 9px;border-bottom:1px solid var(--line)}
    footer{margin-top:3em}@media print{:root{--page:#fff;--ink:#000}details{border:0}details::details-content{content-visibility:visible;display:block;height:auto}
    body{font-size:12px;print-color-adjust:exact;-webkit-print-color-adjust:exact}pre{white-space:pre-wrap;overflow-wrap:anywhere}section>h2{break-after:avoid}}
    """
}
