import Glibc
import Logging
import SocketIO

/// A client's connection, and the one to the server that was made for it.
final class ProxyConnection: Sendable {
    private let client: StreamSocket
    private let server: StreamSocket
    private let recording: ConnectionRecording?
    private let silence: Int32
    private let logger: Logger
    /// The client's address.
    let peer: String

    /// - Parameter silence: milliseconds for which one direction may be silent when the other is over.
    init(
        _ client: StreamSocket, _ server: StreamSocket, peer: String, recording: ConnectionRecording?, silence: Int32,
        logger: Logger
    ) {
        self.client = client
        self.server = server
        self.peer = peer
        self.recording = recording
        self.silence = silence
        self.logger = logger
    }

    /// Passes on what both ends say, until both have ended.
    ///
    /// - Throws: ``SocketError`` when there is no thread for the second direction.
    func run() throws(SocketError) {
        defer { recording?.end() }
        var requests = Pipe.Hooks()
        var answers = Pipe.Hooks()
        if let recording {
            unsafe requests.before = { unsafe recording.take($0, fromClient: true) }
            unsafe answers.before = { unsafe recording.take($0, fromClient: false) }
        }
        let fromClient = Pipe(from: client, to: server, requests)
        let fromServer = Pipe(from: server, to: client, answers)
        let asked = SocketIO.Semaphore()
        let answered = SocketIO.Semaphore()
        do throws(SocketError) {
            try startThread("proxy answers") { [self] in
                ended("server", fromServer.run())
                answered.signal()
                wait(for: fromClient, asked, "client")
            }
        } catch {
            stop()
            throw error
        }
        ended("client", fromClient.run())
        asked.signal()
        wait(for: fromServer, answered, "server")
    }

    /// Waits for the second direction to end, and ends it when nothing has passed for a while: an end that has gone
    /// without a word must not keep its device and our threads for ever.
    private func wait(for pipe: Pipe, _ hasEnded: SocketIO.Semaphore, _ side: String) {
        var last = pipe.progress
        while !hasEnded.wait(milliseconds: silence) {
            let now = pipe.progress
            guard now != last else {
                logger.debug("the other end is gone, and the \(side) is silent", metadata: ["peer": "\(peer)"])
                stop()
                return hasEnded.wait()
            }
            last = now
        }
    }

    private func ended(_ side: String, _ end: Pipe.End) {
        switch end {
        case .finished: logger.debug("no more from the \(side)", metadata: ["peer": "\(peer)"])
        case .broken(let code):
            logger.debug(
                "broken while passing on what the \(side) says",
                metadata: ["peer": "\(peer)", "reason": "\(unsafe String(cString: strerror(code)))"])
            stop()
        }
    }

    /// Ends both connections.
    func stop() {
        client.shutdown()
        server.shutdown()
    }
}
