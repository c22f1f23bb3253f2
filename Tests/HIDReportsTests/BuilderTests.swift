import HIDReports
import Testing

/// What is declared of typed parts means what descriptors written by hand mean, and is written as hosts read it.
@Suite struct BuilderTests {
    private static let keyboard = ReportDescriptor {
        ReportCollection(.application, .keyboard) {
            Input(.keyboard(0xe0...0xe7))
            Padding(.input, bits: 8)
            Output(.leds(1...5))
            Padding(.output, bits: 3)
            Input(.keyboard(0...0x65), logical: 0...0x65, size: 8, count: 6, flags: .array)
        }
    }

    private static let mouse = ReportDescriptor {
        ReportCollection(.application, .mouse) {
            ReportCollection(.physical, .pointer) {
                Input(.buttons(1...3))
                Padding(.input, bits: 5)
                Input(.x, .y, .wheel, logical: -127...127, size: 8, flags: [.variable, .relative])
            }
        }
    }

    private static let pointer = ReportDescriptor {
        ReportCollection(.application, .mouse) {
            ReportCollection(.physical, .pointer) {
                Input(.buttons(1...3))
                Padding(.input, bits: 5)
                Input(.x, .y, logical: 0...0x7fff, physical: 0...0x7fff, size: 16)
                Input(.wheel, logical: -127...127, size: 8, flags: [.variable, .relative])
            }
        }
    }

    private static let gamepad = ReportDescriptor {
        ReportCollection(.application, .gamepad) {
            Input(.buttons(1...16))
            Input(
                .hatSwitch, logical: 0...7, physical: 0...315, unit: .degree, size: 4,
                flags: [.variable, .nullState])
            Padding(.input, bits: 4)
            Input(.x, .y, .z, .rz, logical: -127...127, size: 8)
        }
    }

    private static let consumer = ReportDescriptor {
        ReportCollection(.application, .consumerControl) {
            Input(.consumer(0...0x3ff), logical: 0...0x3ff, size: 16, flags: .array)
        }
    }

    private static let fido = ReportDescriptor {
        ReportCollection(.application, Usage(page: UsagePage.fido, id: 1)) {
            Input(Usage(page: UsagePage.fido, id: 0x20), logical: 0...255, size: 8, count: 64)
            Output(Usage(page: UsagePage.fido, id: 0x21), logical: 0...255, size: 8, count: 64)
        }
    }

    @Test(arguments: [
        (Golden.keyboard, keyboard), (.mouse, mouse), (.pointer, pointer), (.gamepad, gamepad), (.consumer, consumer),
        (.fido, fido),
    ]) func declaredPartsMeanTheGoldenDescriptor(_ golden: Golden, _ declared: ReportDescriptor) throws {
        let expected = try golden.descriptor.layout()
        let layout = try declared.layout()
        #expect(declared.issues == [])
        #expect(layout.applications == expected.applications)
        #expect(layout.reports.map(\.kind) == expected.reports.map(\.kind))
        #expect(layout.reports.map(\.bitCount) == expected.reports.map(\.bitCount))
        #expect(layout.reports.map(\.dataFields) == expected.reports.map(\.dataFields))
        #expect(declared.bytes.count <= golden.descriptor.bytes.count)
    }

    @Test func globalsAreWrittenOnlyWhereTheyChange() {
        #expect(
            Self.mouse.bytes
                == hexBytes(
                    """
                    05 01 09 02 A1 01  // Generic Desktop, Mouse, Application
                    09 01 A1 00        // Pointer, Physical
                    05 09 19 01 29 03 15 00 25 01 75 01 95 03 81 02  // three buttons of one bit, 0 to 1
                    75 05 95 01 81 01  // five constant bits
                    05 01 09 30 09 31 09 38 15 81 25 7F 75 08 95 03 81 06  // X, Y, Wheel; size and count are new
                    C0 C0
                    """))
    }

    @Test(
        "a maximum is written so that it reads alike signed and unsigned",
        arguments: [
            (127 as Int32, "25 7F"), (128, "26 80 00"), (255, "26 FF 00"), (256, "26 00 01"), (0x7fff, "26 FF 7F"),
            (0x8000, "27 00 80 00 00"), (.max, "27 FF FF FF 7F"),
        ]) func maximum(_ value: Int32, _ hex: String)
    {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .joystick) { Input(.x, logical: 0...value, size: 32) }
        }
        #expect(descriptor.bytes == hexBytes("05 01 09 04 A1 01 09 30 15 00 \(hex) 75 20 95 01 81 02 C0"))
        #expect(descriptor.issues == [])
    }

    @Test(
        "a minimum takes as few bytes as hold its sign",
        arguments: [
            (-1 as Int32, "15 FF"), (-128, "15 80"), (-129, "16 7F FF"), (-32768, "16 00 80"),
            (-32769, "17 FF 7F FF FF"), (.min, "17 00 00 00 80"),
        ]) func minimum(_ value: Int32, _ hex: String)
    {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .joystick) { Input(.x, logical: value...0, size: 32) }
        }
        #expect(descriptor.bytes == hexBytes("05 01 09 04 A1 01 09 30 \(hex) 25 00 75 20 95 01 81 02 C0"))
    }

    @Test func aUsageOfAnotherPageCarriesIt() throws {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .mouse) {
                Input(.wheel, .acPan, logical: -127...127, size: 8, flags: [.variable, .relative])
            }
        }
        #expect(
            descriptor.bytes
                == hexBytes("05 01 09 02 A1 01 09 38 0B 38 02 0C 00 15 81 25 7F 75 08 95 02 81 06 C0"))
        let field = try #require(try descriptor.layout().report(.input, id: 0)?.fields.first)
        #expect(field.usage(at: 0) == .wheel)
        #expect(field.usage(at: 1) == .acPan)
    }

    @Test func physicalRangeUnitAndExponentAreTakenBackWhereTheyEnd() throws {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .touchScreen) {
                Input(.x, logical: 0...4095, physical: 0...3000, unit: .centimeter, unitExponent: -2, size: 16)
                Input(.contactCount, logical: 0...10, size: 8)
            }
        }
        let fields = try #require(try descriptor.layout().report(.input, id: 0)?.fields)
        #expect(fields[0].physical == 0...3000)
        #expect(fields[0].unit == .centimeter)
        #expect(fields[0].unitExponent == -2)
        #expect(descriptor.bytes.firstRange(of: hexBytes("55 0E")) != nil, "the exponent is a four-bit number")
        #expect(fields[1].physical == nil)
        #expect(fields[1].unit == .none)
        #expect(fields[1].unitExponent == 0)
    }

    @Test func reportIDsLoopsAndConditionsMakeParts() throws {
        let hasPan = true
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .touchScreen) {
                ReportID(1)
                for _ in 0..<3 {
                    ReportCollection(.logical, .finger) {
                        Input(.tipSwitch)
                        Padding(.input, bits: 7)
                        if hasPan { Input(.x, logical: 0...0xfff, size: 16) }
                    }
                }
                ReportID(2)
                Feature(.contactCountMaximum, logical: 0...10, size: 8)
            }
        }
        #expect(descriptor.issues == [])
        let layout = try descriptor.layout()
        #expect(layout.usesReportIDs)
        #expect(layout.report(.input, id: 1)?.byteCount == 1 + 3 * 3)
        #expect(layout.report(.feature, id: 2)?.byteCount == 2)
        #expect(layout.report(.feature, id: 1) == nil)
        let last = try #require(layout.report(.input, id: 1)?.dataFields.last)
        #expect(last.collections == [.touchScreen, .finger])
        #expect(last.bitOffset == 8 + 2 * 24 + 8)
    }

    @Test func behindRawItemsEveryGlobalIsWrittenAgain() throws {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .joystick) {
                Input(.x, logical: -127...127, size: 8)
                RawItems([0x15, 0x00, 0x25, 0x7f, 0x75, 0x10])
                Input(.y, logical: -127...127, size: 8)
            }
        }
        let fields = try #require(try descriptor.layout().report(.input, id: 0)?.fields)
        #expect(fields.map(\.logical) == [-127...127, -127...127])
        #expect(fields.map(\.bitSize) == [8, 8])
    }

    @Test(arguments: [(5, "75 05 95 01"), (32, "75 20 95 01"), (64, "75 08 95 08"), (33, "75 01 95 21")])
    func paddingHasSoManyBits(_ bits: Int, _ hex: String) throws {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .joystick) { Padding(.input, bits: bits) }
        }
        #expect(descriptor.bytes == hexBytes("05 01 09 04 A1 01 \(hex) 81 01 C0"))
        #expect(try descriptor.layout().report(.input, id: 0)?.bitCount == bits)
    }
}
