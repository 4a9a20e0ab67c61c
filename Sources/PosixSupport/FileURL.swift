import Foundation

/// Places that are told as a `file://` URL or as a path.
package enum FileURL {
  /// The absolute path; nil for anything that isn't one on this machine.
  package static func path(_ text: String) -> String? {
    if text.hasPrefix("/") { return text }
    guard text.hasPrefix("file:"), let url = URL(string: text), url.isFileURL, url.path.hasPrefix("/"),
      ["", "localhost"].contains(url.host ?? "")
    else { return nil }
    return url.path
  }
}
