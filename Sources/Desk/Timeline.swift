import Text

/// The run on a line, to scale: what its time went into.
enum Timeline {
  private static let width = 1000.0
  private static let colours: [RunStory.Kind: String] = [.shell: "var(--shell)", .edit: "var(--edit)", .other: "var(--other)"]

  /// - Parameters:
  ///   - start, end: of the run, seconds since 1970
  ///   - isShort: drawn in parts, however few tool calls there are
  static func svg(_ story: RunStory, from start: Double, to end: Double, isShort: Bool) -> String {
    let length = max(end - start, 0.001)
    func x(_ at: Double) -> Double { min(max((at - start) / length, 0), 1) * width }
    func shown(_ number: Double) -> String { "\(Double(Int(number * 100)) / 100)" }
    var marks = "<rect x=\"0\" y=\"10\" width=\"1000\" height=\"28\" fill=\"var(--model)\"/>"
    let isWhole = !isShort && story.spanCount <= story.spans.count && story.providerErrorCount <= story.providerErrors.count
    if !isWhole { marks += slots(story.slots, of: length / Double(RunStory.slotCount)) }
    for span in isWhole ? story.spans : [] {
      let (left, right) = (x(span.start), x(span.end))
      let title = HTML.element("title", HTML.text("\(span.what), \(Words.duration(max(0, span.end - span.start)))"))
      marks +=
        "<rect x=\"\(shown(left))\" y=\"10\" width=\"\(shown(max(right - left, 2)))\" height=\"28\" fill=\"\(colours[span.kind] ?? "")\">\(title)</rect>"
      if span.failed { marks += "<rect x=\"\(shown(left))\" y=\"2\" width=\"\(shown(max(right - left, 4)))\" height=\"6\" fill=\"var(--bad)\"/>" }
    }
    for at in isWhole ? story.providerErrors : [] {
      let place = shown(x(at))
      marks += "<line x1=\"\(place)\" y1=\"0\" x2=\"\(place)\" y2=\"48\" stroke=\"var(--bad)\" stroke-width=\"1.5\"/>"
    }
    let keys = [("model", "model"), ("shell", "shell"), ("edit", "edits"), ("other", "other tools"), ("bad", "failed, or the provider refused")]
    let legend = keys.map { "<span><i style=\"background:var(--\($0.0))\"></i>\($0.1)</span>" }.joined()
    let scale = (0...4).map { "<span>\(Words.duration(length * Double($0) / 4))</span>" }.joined()
    let cut =
      isWhole
      ? ""
      : "\(Words.counted(story.spanCount, "tool call")) and \(Words.counted(story.providerErrorCount, "provider error")), drawn together: each of "
        + "\(RunStory.slotCount) parts of the time is filled as far as tools were at work in it."
    return "<svg viewBox=\"0 0 1000 48\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"timeline\">\(marks)</svg>"
      + "<div class=\"scale\">\(scale)</div><p class=\"legend\">\(legend)</p>" + (cut.isEmpty ? "" : "<p class=\"note\">\(cut)</p>")
  }

  /// More than can be drawn one by one: each part of the time is filled, from below, as far as tools were at work in it.
  private static func slots(_ slots: [RunStory.Slot], of seconds: Double) -> String {
    let width = Timeline.width / Double(slots.count)
    func rectangle(_ index: Int, _ y: Double, _ height: Double, _ colour: String) -> String {
      let numbers = [Double(index) * width, y, width, height].map { "\(Double(Int($0 * 100)) / 100)" }
      return "<rect x=\"\(numbers[0])\" y=\"\(numbers[1])\" width=\"\(numbers[2])\" height=\"\(numbers[3])\" fill=\"\(colour)\"/>"
    }
    return slots.enumerated().map { index, slot in
      // Tools that worked at the same time share the room.
      let all = max(slot.seconds.values.reduce(0, +), seconds)
      var (top, out) = (38.0, "")
      for kind in [RunStory.Kind.shell, .edit, .other] {
        guard let taken = slot.seconds[kind] else { continue }
        let height = max(28 * taken / all, 0.5)
        top -= height
        out += rectangle(index, top, height, colours[kind] ?? "")
      }
      if slot.failed { out += rectangle(index, 2, 6, "var(--bad)") }
      if slot.providerFailed { out += rectangle(index, 38, 10, "var(--bad)") }
      return out
    }.joined()
  }
}
