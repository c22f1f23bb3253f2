import Glibc
import USBCore
import USBIPClient

/// A device at a USB/IP server.
final class RemoteTarget: RequestTarget {
    private let remote: RemoteDevice
    private let box = AnswerBox()
    private var names: [Int: TransferID] = [:]

    init(_ remote: RemoteDevice) { self.remote = remote }

    var speed: Speed { remote.speed }

    var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    func submit(_ request: TransferRequest, tag: Int) throws(HostError) {
        names[tag] = try remote.submit(request) { [box] result in box.put(RequestAnswer(tag, result)) }
    }

    func cancel(_ tag: Int) {
        if let name = names[tag] { remote.cancel(name) }
    }

    func next(until deadline: UInt64?) -> RequestAnswer? {
        let answer = box.take(until: deadline)
        if let answer { names[answer.tag] = nil }
        return answer
    }
}

extension RequestAnswer {
    fileprivate init(_ tag: Int, _ result: TransferResult) {
        self.init(
            tag: tag, status: result.status, actualLength: result.actualLength, data: result.data,
            packets: result.packets.map { Packet(status: $0.status, length: $0.actualLength) },
            connectionError: result.connectionError)
    }
}

/// Where the thread that replays waits for what the connection's thread brings.
///
/// `@unchecked Sendable`: `answers` and `taken` are touched under the mutex only.
@safe private final class AnswerBox: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var answers: [RequestAnswer] = []
    private var taken = 0

    init() {
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // A wait must not end early or late because somebody sets the time of day.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func put(_ answer: RequestAnswer) {
        unsafe pthread_mutex_lock(mutex)
        answers.append(answer)
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    func take(until deadline: UInt64?) -> RequestAnswer? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while taken == answers.count {
            if let deadline {
                let bounded = min(deadline, UInt64(Int64.max))
                var time = timespec(tv_sec: Int(bounded / 1_000_000_000), tv_nsec: Int(bounded % 1_000_000_000))
                if unsafe pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT, taken == answers.count {
                    return nil
                }
            } else {
                unsafe pthread_cond_wait(condition, mutex)
            }
        }
        let answer = answers[taken]
        taken += 1
        if taken == answers.count {
            answers.removeAll(keepingCapacity: true)
            taken = 0
        }
        return answer
    }
}
