package import CommandSupport
package import USBHID

extension HIDLink {
    /// Plays a script and answers an action with how it ended.
    ///
    /// - Parameters:
    ///   - script: what to play.
    ///   - others: further links that it sends through.
    ///   - reply: is answered when the host has fetched everything, or did not.
    ///   - members: what there is to tell of a success.
    package func play(
        _ script: InputScript, with others: [HIDLink] = [], _ reply: ActionReply, _ members: [(String, JSON)] = []
    ) {
        var script = script
        // Who gives up waiting, with Ctrl-C, wants no more of it.
        script.isWanted = { reply.isWanted }
        play(script, with: others) { result in
            switch result {
            case .success: reply.succeed(members)
            case .failure(let error): reply.fail(ModelError(unavailable: error.advice))
            }
        }
    }
}

extension InputScriptError {
    /// What went wrong and what to do, in one line.
    package var advice: String {
        switch self {
        case .notConfigured:
            "no host has configured it yet; 'ghostplug ctl wait BUSID configured' waits for one"
        case .gone(let done, let count):
            "the host has gone or has reset the device, after \(done) of \(count) steps"
        case .notFetched(let done, let count, let time):
            (done == 0 ? "no program there has it open" : "the host has stopped asking for reports")
                + ": the host has not asked for a report for "
                + "\(time.components.seconds) seconds, after \(done) of \(count) steps"
        case .unwanted(let done, let count):
            "given up after \(done) of \(count) steps, because nobody waits for it any more"
        case .busy:
            "too much other input waits to be sent; wait for the answers to it"
        }
    }
}
