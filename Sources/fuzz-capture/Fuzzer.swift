internal import Glibc

/// What libFuzzer calls with every input that it thinks of.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do throws(BrokenPromise) {
        _ = try CaptureExercise(bytes)
        _ = try TraceExercise(bytes)
    } catch {
        print("fuzz-capture: \(error)")
        // libFuzzer keeps the input of a process that ends like this.
        abort()
    }
    return 0
}
