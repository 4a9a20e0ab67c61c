/// What changes when a file is replaced, or when a link on the way to it is: upgrades may keep path, size and time (Nix sets every file's to 1970).
package struct FileStamp: Sendable, Equatable, Codable {
  /// Without symlinks.
  private let target: String
  private let facts: FileFacts

  /// Follows symlinks; nil if there is no such file.
  package init?(_ path: String) {
    guard let target = PrivateFiles.resolved(path), let facts = FileFacts.of(Array(target.utf8)) else { return nil }
    self.target = target
    self.facts = facts
  }
}
