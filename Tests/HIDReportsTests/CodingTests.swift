import HIDReports
import Testing

/// Reports as bytes and as values.
@Suite struct CodingTests {
    private func input(_ golden: Golden, id: UInt8 = 0) throws -> ReportLayout.Report {
        try #require(try golden.descriptor.layout().report(.input, id: id))
    }

    @Test func pressedKeysTakeTheSlotsInOrder() throws {
        let report = try input(.keyboard)
        let bytes = try report.encode([(.keyboard(0xe1), 1), (.keyboard(0x04), 1), (.keyboard(0x1d), 1)])
        #expect(bytes == [0x02, 0, 0x04, 0x1d, 0, 0, 0, 0])
        let pressed = report.decode(bytes).filter { $0.1 == 1 }.map(\.0)
        #expect(pressed == [.keyboard(0xe1), .keyboard(0x04), .keyboard(0x1d)])
    }

    @Test func aKeyOfValueZeroTakesNoSlot() throws {
        #expect(try input(.keyboard).encode([(.keyboard(4), 0), (.keyboard(5), 1)]) == [0, 0, 5, 0, 0, 0, 0, 0])
    }

    @Test func aSeventhKeyIsRefused() throws {
        let report = try input(.keyboard)
        #expect(throws: ReportEncodingError.arrayFull(.keyboard(10), slots: 6)) {
            try report.encode((4...10).map { (.keyboard($0), 1) })
        }
    }

    @Test func rollOverNamesItsUsageInEachSlot() throws {
        let values = try input(.keyboard).decode([0, 0, 1, 1, 1, 1, 1, 1]).filter { $0.1 == 1 }
        #expect(values.map(\.0) == Array(repeating: .keyboard(1), count: 6))
    }

    @Test func lampsAreBitsOfTheOutputReport() throws {
        let report = try #require(try Golden.keyboard.descriptor.layout().report(.output, id: 0))
        #expect(
            report.values([0x02]) == [
                UsageValue(.numLock, 0), UsageValue(.capsLock, 1), UsageValue(.scrollLock, 0), UsageValue(.compose, 0),
                UsageValue(.kana, 0),
            ])
        #expect(try report.encode([(.kana, 1), (.numLock, 1)]) == [0x11])
    }

    @Test func negativeValuesKeepTheirSign() throws {
        let report = try input(.mouse)
        let bytes = try report.encode([(.button(3), 1), (.x, -1), (.y, 127), (.wheel, -127)])
        #expect(bytes == [0x04, 0xff, 0x7f, 0x81])
        #expect(report.values(bytes).suffix(3) == [UsageValue(.x, -1), UsageValue(.y, 127), UsageValue(.wheel, -127)])
    }

    @Test func whatIsOutsideOfTheLogicalRangeIsRefused() throws {
        let report = try input(.mouse)
        #expect(throws: ReportEncodingError.valueOutOfRange(.x, value: -128, allowed: -127...127)) {
            try report.encode([(.x, -128)])
        }
        #expect(throws: ReportEncodingError.valueOutOfRange(.button(1), value: 2, allowed: 0...1)) {
            try report.encode([(.button(1), 2)])
        }
        let keys = try input(.keyboard)
        #expect(throws: ReportEncodingError.valueOutOfRange(.keyboard(4), value: 2, allowed: 0...1)) {
            try keys.encode([(.keyboard(4), 2)])
        }
    }

    @Test func aUsageThatTheReportLacksIsRefused() throws {
        let report = try input(.mouse)
        #expect(throws: ReportEncodingError.unknownUsage(.z)) { try report.encode([(.z, 0)]) }
        #expect(throws: ReportEncodingError.repeatedUsage(.x)) { try report.encode([(.x, 1), (.x, 1)]) }
        #expect(ReportEncodingError.unknownUsage(.z).description == "The report has no Generic Desktop / Z.")
    }

    @Test func aHatThatIsNotHeldHasItsNullState() throws {
        let report = try input(.gamepad)
        #expect(try report.encode([(.button(16), 1), (.x, -127)]) == [0, 0x80, 0x08, 0x81, 0, 0, 0])
        #expect(try report.encode([(.hatSwitch, 6)])[2] == 6)
        #expect(try report.encode([(.hatSwitch, 15)])[2] == 15)
        #expect(throws: ReportEncodingError.valueOutOfRange(.hatSwitch, value: 16, allowed: 0...7)) {
            try report.encode([(.hatSwitch, 16)])
        }
    }

    @Test func anIndexIsCountedFromTheLogicalMinimum() throws {
        // Three selectors, 1 to 3 for the system keys; 0 names none.
        let report = try #require(
            try ReportDescriptor {
                ReportCollection(.application, .systemControl) {
                    Input(.genericDesktop(0x81...0x83), logical: 1...3, size: 2, flags: .array)
                    Padding(.input, bits: 6)
                }
            }.layout().report(.input, id: 0))
        #expect(try report.encode([]) == [0])
        #expect(try report.encode([(.systemSleep, 1)]) == [2])
        #expect(report.values([3]) == [UsageValue(.systemWakeUp, 1)])
        #expect(report.values([0]) == [])
    }

    @Test func anEmptySlotHasAValueThatNamesNothing() throws {
        // 0 would be the first button; 8, just outside of the logical range, is what names none.
        let report = try #require(
            try ReportDescriptor {
                ReportCollection(.application, .gamepad) {
                    Input(.buttons(1...8), logical: 0...7, size: 8, count: 2, flags: .array)
                }
            }.layout().report(.input, id: 0))
        #expect(try report.encode([]) == [8, 8])
        #expect(report.values([8, 8]) == [])
        #expect(try report.encode([(.button(1), 1)]) == [0, 8])
    }

    @Test func repeatedUsagesTakeTheirValuesInOrder() throws {
        let report = try #require(
            try ReportDescriptor {
                ReportCollection(.application, .touchScreen) {
                    ReportID(7)
                    for _ in 0..<3 {
                        ReportCollection(.logical, .finger) {
                            Input(.tipSwitch)
                            Padding(.input, bits: 3)
                            Input(.contactIdentifier, logical: 0...15, size: 4)
                        }
                    }
                }
            }.layout().report(.input, id: 7))
        let bytes = try report.encode([
            (.tipSwitch, 1), (.contactIdentifier, 5), (.tipSwitch, 0), (.contactIdentifier, 6), (.tipSwitch, 1),
        ])
        #expect(bytes == [7, 0x51, 0x60, 0x01])
        #expect(
            report.values(bytes).map(\.value) == [1, 5, 0, 6, 1, 0])
        #expect(report.decode([8] + bytes.dropFirst()).isEmpty, "the id of another report")
    }

    @Test func aBlockOfBytesIsItsUsageManyTimes() throws {
        let report = try input(.fido)
        let block = (0..<64).map { UInt8($0 * 4) }
        let usage = Usage(page: UsagePage.fido, id: 0x20)
        #expect(try report.encode(block.map { (usage, Int32($0)) }) == block)
        #expect(report.values(block) == block.map { UsageValue(usage, Int32($0)) })
        #expect(throws: ReportEncodingError.repeatedUsage(usage)) {
            try report.encode((0...64).map { _ in (usage, 0) })
        }
    }

    @Test func whatIsMissingIsZeroAndWhatIsTooMuchIsIgnored() throws {
        let report = try input(.mouse)
        #expect(report.values([1, 5]).map(\.value) == [1, 0, 0, 5, 0, 0])
        #expect(report.values([]).map(\.value) == [0, 0, 0, 0, 0, 0])
        #expect(report.values([1, 5, 0, 0, 0xff, 0xff]) == report.values([1, 5]))
    }

    @Test("of more than 32 bits the lowest are the value, and the others its sign")
    func wideValues() throws {
        let report = try #require(
            try ReportDescriptor {
                ReportCollection(.application, .joystick) { Input(.x, logical: -100...100, size: 48) }
            }.layout().report(.input, id: 0))
        #expect(try report.encode([(.x, -2)]) == [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff])
        #expect(try report.encode([(.x, 2)]) == [2, 0, 0, 0, 0, 0])
        #expect(report.values([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff]) == [UsageValue(.x, -2)])
    }

    @Test("a value whose least is above zero rests at its least")
    func restingValue() throws {
        let report = try #require(
            try ReportDescriptor {
                ReportCollection(.application, .joystick) { Input(.x, .y, logical: 5...100, size: 8) }
            }.layout().report(.input, id: 0))
        #expect(report.resting == [5, 5])
        #expect(try report.encode([(.y, 7)]) == [5, 7])
    }
}
