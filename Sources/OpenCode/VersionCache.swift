import Foundation
import PosixSupport

/// What native binaries answered to `--version`, as long as the file stays the same. Only a saving: a cache that
/// can't be read or written is as good as none.
struct VersionCache {
  private struct Entry: Codable {
    let path: String
    let stamp: FileStamp
    let version: String
  }

  private let folder: String
  private var file: String { "\(folder)/opencode-versions.json" }

  init(folder: String) { self.folder = folder }

  func version(of path: String, _ stamp: FileStamp) -> OpenCodeVersion? {
    entries().first { $0.path == path && $0.stamp == stamp }.flatMap { OpenCodeVersion($0.version) }
  }

  func remember(_ version: OpenCodeVersion, of path: String, _ stamp: FileStamp) {
    let kept = [Entry(path: path, stamp: stamp, version: version.description)] + entries().filter { $0.path != path }.prefix(15)
    guard let data = try? JSONEncoder().encode(kept), (try? PrivateFiles.createFolder(folder)) != nil else { return }
    try? PrivateFiles.replace(file, with: data)
  }

  private func entries() -> [Entry] {
    guard let bytes = try? PrivateFiles.read(file, limit: 1 << 16) else { return [] }
    return (try? JSONDecoder().decode([Entry].self, from: Data(bytes))) ?? []
  }
}
