import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import Runs

@Suite(.blocking) struct SupervisorChannelTests {
  private func pipe() throws -> (channel: SupervisorChannel, report: SupervisorReport, write: Descriptor) {
    let pipe = try Descriptor.pipe()
    return (SupervisorChannel(pipe.read), SupervisorReport(output: pipe.write), pipe.write)
  }

  private static let messages: [SupervisorMessage] = [.accepted("20261122-162803-k3f9"), .busy(nil), .busy("x"), .running, .ended, .failed("a \"b\"\nc")]

  @Test func whatIsSentArrivesInOrder() throws {
    let (channel, report, write) = try pipe()
    for message in Self.messages { report.send(message) }
    write.close()
    for message in Self.messages { #expect(channel.next(seconds: 30) == message) }
    #expect(channel.next(seconds: 30) == nil)
  }

  @Test func aMessageInPiecesIsOneMessage() throws {
    let (channel, _, write) = try pipe()
    let line = try JSONEncoder().encode(SupervisorMessage.accepted("abc")) + [0x0A]
    Thread.detachNewThread {
      for byte in line {
        try? write.writeAll([byte])
        usleep(500)
      }
      write.close()
    }
    #expect(channel.next(seconds: 30) == .accepted("abc"))
    #expect(channel.next(seconds: 30) == nil)
  }

  @Test func whatIsNoMessageIsPassedOver() throws {
    let (channel, report, write) = try pipe()
    try write.writeAll(Array("garbage\n\n{}\n".utf8))
    report.send(.running)
    #expect(channel.next(seconds: 30) == .running)
    write.close()
  }

  @Test func aSilentSupervisorIsNotWaitedForLongerThanTold() throws {
    let (channel, report, write) = try pipe()
    #expect(channel.next(seconds: 0.01) == nil)
    report.send(.ended)
    #expect(channel.next(seconds: 30) == .ended)
    write.close()
  }

  /// The server may be gone: sending then does nothing.
  @Test func sendingToNobodyIsNoHarm() throws {
    OwnProcess.settleSignals()
    let pipe = try Descriptor.pipe()
    pipe.read.close()
    SupervisorReport(output: pipe.write).send(.running)
    SupervisorReport(output: nil).send(.running)
    pipe.write.close()
  }
}
