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
    if !isWhole { marks += slots(story.slots) }
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
      : "\(Words.counted(story.spanCount, "tool call")) and \(Words.counted(story.providerErrorCount, "provider error")), drawn together in parts of "
        + "\(Words.duration(length / Double(RunStory.slotCount))): a part has the colour of what took the most of it."
    return "<svg viewBox=\"0 0 1000 48\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"timeline\">\(marks)</svg>"
      + "<div class=\"scale\">\(scale)</div><p class=\"legend\">\(legend)</p>" + (cut.isEmpty ? "" : "<p class=\"note\">\(cut)</p>")
  }

  /// More than can be drawn one by one: neighbours that look the same are one rectangle.
  private static func slots(_ slots: [RunStory.Slot]) -> String {
    let width = Timeline.width / Double(slots.count)
    func runs<Look: Equatable>(_ look: (RunStory.Slot) -> Look?, _ draw: (Look, Double, Double) -> String) -> String {
      var (out, start) = ("", 0)
      for index in 1...slots.count where index == slots.count || look(slots[index]) != look(slots[start]) {
        if let one = look(slots[start]) { out += draw(one, Double(start) * width, Double(index - start) * width) }
        start = index
      }
      return out
    }
    func rectangle(_ x: Double, _ width: Double, _ y: Int, _ height: Int, _ colour: String) -> String {
      "<rect x=\"\(Double(Int(x * 100)) / 100)\" y=\"\(y)\" width=\"\(Double(Int(width * 100)) / 100)\" height=\"\(height)\" fill=\"\(colour)\"/>"
    }
    func most(_ slot: RunStory.Slot) -> RunStory.Kind? { slot.seconds.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key }
    return runs(most, { rectangle($1, $2, 10, 28, colours[$0] ?? "") })
      + runs({ $0.failed ? true : nil }, { rectangle($1, $2, 2, 6, "var(--bad)") })
      + runs({ $0.providerFailed ? true : nil }, { rectangle($1, $2, 38, 10, "var(--bad)") })
  }
}
