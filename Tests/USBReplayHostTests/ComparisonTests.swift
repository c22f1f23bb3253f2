import CaptureTraces
import Testing
import USBCore
import USBIPClient
import USBReplay
import USBReplayHost

@Suite("Answers are compared with the recorded ones")
struct ComparisonTests {
    /// A recording of one request for eight bytes, its end in packet 4.
    private func recording() -> Recording {
        let recording = Recording()
        recording.control(.configure(1))
        recording.control(.ask(7, length: 8), in: [0, 1, 2, 3, 4, 5, 6, 7])
        recording.read(1, [9, 9])
        return recording
    }

    private func only(_ replayed: Replayed) throws -> Divergence {
        #expect(replayed.report.divergenceCount == 1)
        return try #require(replayed.report.divergences.first)
    }

    @Test("Another byte is named with its packet and its place")
    func otherByte() throws {
        let divergence = try only(recording().replay { $0.other[1] = { $0.data[5] ^= 0x80 } })
        #expect(divergence.kind == .wrongAnswer)
        #expect(divergence.actor == .device)
        #expect(divergence.packet == 4)
        #expect(divergence.firstDifference == 5)
        #expect(divergence.expected[5] == 0x05)
        #expect(divergence.actual[5] == 0x85)
        #expect(divergence.endpoint == .out(0))
        #expect(divergence.subject.contains("c0 07"))
    }

    @Test("A shorter answer is another length, up to where it ends")
    func shorter() throws {
        let divergence = try only(
            recording().replay { target in
                target.other[1] = {
                    $0.data.removeLast(2)
                    $0.actualLength = 6
                }
            })
        #expect(divergence.kind == .otherLength)
        #expect(divergence.firstDifference == 6)
        #expect(divergence.actualCount == 6)
    }

    @Test("A stall in place of an answer is another status, and so is the reverse")
    func otherStatus() throws {
        let stalled = try only(
            recording().replay { target in
                target.other[1] = {
                    $0.status = .stalled
                    $0.data = []
                    $0.actualLength = 0
                }
            })
        #expect(stalled.kind == .otherStatus)
        #expect(stalled.words.contains("a stall where the recording has success"))
        let recording = Recording()
        recording.control(.configure(1))
        recording.control(.ask(7, length: 8), status: .stalled)
        let answered = try only(
            recording.replay { target in
                target.other[1] = {
                    $0.status = .success
                    $0.data = [1]
                    $0.actualLength = 1
                }
            })
        #expect(answered.kind == .otherStatus)
    }

    @Test("What a device takes of a write is compared")
    func partlyTaken() throws {
        let recording = Recording()
        recording.control(.configure(1))
        recording.write(1, [1, 2, 3])
        let divergence = try only(recording.replay { target in target.other[1] = { $0.actualLength = 2 } })
        #expect(divergence.words.contains("took 2 bytes where the recording has 3"))
    }

    @Test("Each difference is counted on its endpoint")
    func counts() {
        let replayed = recording().replay { target in
            target.other[1] = { $0.data[0] = 9 }
            target.other[2] = { $0.data[0] = 8 }
        }
        #expect(replayed.report.divergences.map(\.endpoint) == [.out(0), .in(1)])
        #expect(replayed.report.endpoints.map(\.matched) == [1, 0])
        #expect(replayed.report.endpoints.map(\.diverged) == [1, 1])
        #expect(!replayed.report.passed)
    }

    @Test("Of data that the capture has cut, what it has is compared, and the length")
    func cut() throws {
        let recording = recording()
        recording.change(2) { transfer in
            transfer.actual = 100
            transfer.requested = 128
            transfer.marks.insert(.isCut)
        }
        func answer(_ count: Int, first: UInt8) -> Replayed {
            recording.replay { target in
                target.other[2] = {
                    $0.data = [first] + [UInt8](repeating: 9, count: count - 1)
                    $0.actualLength = count
                }
            }
        }
        #expect(answer(100, first: 9).report.passed)
        #expect(try only(answer(100, first: 8)).firstDifference == 0)
        #expect(try only(answer(99, first: 9)).words.contains("99 bytes where the recording has 100"))
    }

    @Test("Packets of an isochronous transfer are compared one by one, without the gaps of the host's buffer")
    func isochronous() throws {
        let recording = Recording()
        recording.control(.configure(1))
        let transfer = recording.submitIsochronousIn(3, packets: 3)
        recording.complete(transfer, isochronous: [[1, 2], [], [3, 4, 5]])
        let same = recording.replay()
        #expect(same.report.passed)
        #expect(same.target.requests[transfer]?.packets.map(\.length) == [8, 8, 8])
        let status = recording.replay { target in
            target.other[transfer] = { $0.packets[1].status = .missed }
        }
        #expect(try only(status).words.contains("packet 1 of the transfer"))
        let data = recording.replay { target in target.other[transfer] = { $0.data[3] = 0 } }
        #expect(try only(data).firstDifference == 3)
        let shifted = recording.replay { target in
            target.other[transfer] = {
                $0.packets[0].length = 1
                $0.packets[1].length = 1
            }
        }
        #expect(try only(shifted).kind == .otherLength)
    }

    @Test("An answer that the capture can no longer give is a divergence; data that it cannot give end the replay")
    func unreadable() throws {
        let answers = recording()
        answers.lose(\.input, of: 1)
        let compared = answers.replay()
        #expect(try only(compared).kind == .unreadable)
        #expect(compared.order == [0, 1, 2])
        let recording = Recording()
        recording.control(.configure(1))
        let write = recording.write(1, [1, 2])
        recording.change(write) { $0.requested = 1 }
        recording.read(1, [1])
        recording.lose(\.output, of: write)
        let stopped = recording.replay()
        #expect(try only(stopped).kind == .unreadable)
        #expect(stopped.order == [0])
        #expect(stopped.report.endpoints.last?.notReached == 1)
    }
}
