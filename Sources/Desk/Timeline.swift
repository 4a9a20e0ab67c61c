import Text

/// The run on a line, to scale: what its time went into.
enum Timeline {
  private static let width = 1000.0
  private static let colours: [RunStory.Kind: String] = [.shell: "var(--shell)", .edit: "var(--edit)", .other: "var(--other)"]

  /// - Parameters: begin and end of the run, seconds since 1970
  static func svg(_ story: RunStory, from start: Double, to end: Double) -> String {
    let length = max(end - start, 0.001)
    func x(_ at: Double) -> Double { min(max((at - start) / length, 0), 1) * width }
    func shown(_ number: Double) -> String { "\(Double(Int(number * 100)) / 100)" }
    var marks = "<rect x=\"0\" y=\"10\" width=\"1000\" height=\"28\" fill=\"var(--model)\"/>"
    for span in story.spans {
      let (left, right) = (x(span.start), x(span.end))
      let title = HTML.element("title", HTML.text("\(span.what), \(Words.duration(max(0, span.end - span.start)))"))
      marks +=
        "<rect x=\"\(shown(left))\" y=\"10\" width=\"\(shown(max(right - left, 2)))\" height=\"28\" fill=\"\(colours[span.kind] ?? "")\">\(title)</rect>"
      if span.failed { marks += "<rect x=\"\(shown(left))\" y=\"2\" width=\"\(shown(max(right - left, 4)))\" height=\"6\" fill=\"var(--bad)\"/>" }
    }
    for at in story.providerErrors {
      let place = shown(x(at))
      marks += "<line x1=\"\(place)\" y1=\"0\" x2=\"\(place)\" y2=\"48\" stroke=\"var(--bad)\" stroke-width=\"1.5\"/>"
    }
    let keys = [("model", "model"), ("shell", "shell"), ("edit", "edits"), ("other", "other tools"), ("bad", "failed, or the provider refused")]
    let legend = keys.map { "<span><i style=\"background:var(--\($0.0))\"></i>\($0.1)</span>" }.joined()
    let scale = (0...4).map { "<span>\(Words.duration(length * Double($0) / 4))</span>" }.joined()
    let cut = story.spanCount > story.spans.count ? "The first \(story.spans.count) of \(Words.grouped(story.spanCount)) tool calls are drawn." : ""
    return "<svg viewBox=\"0 0 1000 48\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"timeline\">\(marks)</svg>"
      + "<div class=\"scale\">\(scale)</div><p class=\"legend\">\(legend)</p>" + (cut.isEmpty ? "" : "<p class=\"note\">\(cut)</p>")
  }
}
