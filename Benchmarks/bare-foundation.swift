// The floor: a program that links Foundation with Process and JSON, reads one line and answers it.
import Foundation

let process = Process()
while let line = readLine() {
  let object = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
  FileHandle.standardOutput.write(Data("{\"id\":\(object?["id"] ?? 0),\"running\":\(process.isRunning)}\n".utf8))
}
