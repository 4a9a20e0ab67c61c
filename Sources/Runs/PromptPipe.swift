import Foundation
import PosixSupport

/// The pipe through which OpenCode reads its prompt: never a file, which builds of 2.x with Bun before 1.4 don't read, never an argument,
/// which everybody sees.
///
/// A prompt that fits into the pipe is in it before OpenCode exists. A longer one is written while OpenCode reads, by a thread that nobody
/// waits for: OpenCode may never read, or be gone. As long as that isn't done a mark lies in the run's folder, for whoever takes over.
struct PromptPipe {
  /// OpenCode's stdin.
  let input: Descriptor
  private let output: Descriptor
  private let rest: ArraySlice<UInt8>
  private let folder: RunFolder

  /// - Throws: `PosixError`
  init(_ folder: RunFolder) throws {
    let bytes = try PrivateFiles.read(folder.prompt, limit: 1 << 30)
    let pipe = try Descriptor.pipe()
    (input, output, self.folder) = (pipe.read, pipe.write, folder)
    do {
      rest = bytes.dropFirst(try output.writeWhatFits(bytes))
      if rest.isEmpty { output.close() } else { try PrivateFiles.replace(folder.promptUnsent, with: []) }
    } catch {
      pipe.read.close()
      pipe.write.close()
      throw error
    }
  }

  /// Writes what didn't fit. Doesn't block.
  func send() {
    guard !rest.isEmpty else { return }
    let (output, rest, folder) = (output, rest, folder)
    Thread.detachNewThread {
      // A reader that is gone has its reasons, which its own end tells.
      if (try? output.writeAll(rest)) != nil { unlink(folder.promptUnsent) }
      output.close()
    }
  }

  /// Nobody will read it.
  func abandon() {
    if !rest.isEmpty { output.close() }
  }
}
