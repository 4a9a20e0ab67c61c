/// The difference of two texts as one hunk with four lines of context.
struct Patch {
  let text: String
  let added: Int
  let removed: Int

  init(name: String, before: String, after: String) {
    func lines(_ text: String) -> [Substring] {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      if lines.last?.isEmpty ?? false { lines.removeLast() }
      return lines
    }
    let (old, new) = (lines(before), lines(after))
    var head = 0
    while head < min(old.count, new.count), old[head] == new[head] { head += 1 }
    var tail = 0
    while tail < min(old.count, new.count) - head, old[old.count - 1 - tail] == new[new.count - 1 - tail] { tail += 1 }
    let (start, after) = (max(0, head - 4), min(4, tail))
    removed = old.count - head - tail
    added = new.count - head - tail
    var rows = old[start..<head].map { " \($0)" }
    rows += old[head..<(old.count - tail)].map { "-\($0)" }
    rows += new[head..<(new.count - tail)].map { "+\($0)" }
    rows += old[(old.count - tail)..<(old.count - tail + after)].map { " \($0)" }
    let (oldCount, newCount) = (head - start + removed + after, head - start + added + after)
    let rule = String(repeating: "=", count: 67)
    text =
      "Index: \(name)\n\(rule)\n--- \(name)\n+++ \(name)\n@@ -\(start + 1),\(oldCount) +\(start + 1),\(newCount) @@\n" + rows.joined(separator: "\n") + "\n"
  }
}
