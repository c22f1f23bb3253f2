import USBCore

/// Audio 1.0 in full for what simple devices have, Audio 2.0 by its frequent descriptors, MIDI by name.
enum AudioNodes {
    /// The node of an audio class descriptor, nil where it is none.
    static func fields(_ entry: ConfigurationOutline.Entry) -> DescriptorNode? {
        guard let owner = entry.owner, owner.code == .audio, owner.protocol != 0x30 else { return nil }
        let item = entry.item
        var reader = FieldReader(item.bytes)
        let title: String
        switch (item.type, owner.subclass) {
        case (.classInterface, 1):
            title = "AudioControl Interface Descriptor"
            readControl(item.byte(2), isSecond: !owner.isFirstAudio, &reader)
        case (.classInterface, 2):
            title = "AudioStreaming Interface Descriptor"
            readStreaming(item, isSecond: !owner.isFirstAudio, &reader)
        case (.classEndpoint, 2):
            title = "AudioStreaming Endpoint Descriptor"
            named("bDescriptorSubtype", ["", "EP_GENERAL"], &reader)
            reader.read(.bits("bmAttributes"))
            if !owner.isFirstAudio { reader.read(.bits("bmControls")) }
            reader.read([.byte("bLockDelayUnits"), .word("wLockDelay")])
        case (.classInterface, 3):
            title = "MIDIStreaming Interface Descriptor"
            readMIDI(item.byte(2), &reader)
        case (.classEndpoint, 3):
            title = "MIDIStreaming Endpoint Descriptor"
            named("bDescriptorSubtype", ["", "GENERAL"], &reader)
            reader.read([.byte("bNumEmbMIDIJack"), .list("baAssocJackID", 1, "(", ")")])
        default: return nil
        }
        return DescriptorNode(.descriptor, title, path: entry.path, fields: reader.finish())
    }

    private static func named(_ field: String, _ names: [String], _ reader: inout FieldReader) {
        reader.read(.byte(field)) { value, field in
            field.meaning = value < names.count && !names[Int(value)].isEmpty ? "(\(names[Int(value)]))" : ""
        }
    }

    // MARK: - Audio control (Audio 1.0 §4.3.2, Audio 2.0 §4.7.2)

    private static let controlNames = [
        "", "HEADER", "INPUT_TERMINAL", "OUTPUT_TERMINAL", "MIXER_UNIT", "SELECTOR_UNIT", "FEATURE_UNIT",
        "PROCESSING_UNIT", "EXTENSION_UNIT",
    ]
    private static let secondControlNames = [
        "", "HEADER", "INPUT_TERMINAL", "OUTPUT_TERMINAL", "MIXER_UNIT", "SELECTOR_UNIT", "FEATURE_UNIT",
        "EFFECT_UNIT", "PROCESSING_UNIT", "EXTENSION_UNIT", "CLOCK_SOURCE", "CLOCK_SELECTOR", "CLOCK_MULTIPLIER",
        "SAMPLE_RATE_CONVERTER",
    ]

    private static func readControl(_ subtype: UInt8, isSecond: Bool, _ reader: inout FieldReader) {
        named("bDescriptorSubtype", isSecond ? secondControlNames : controlNames, &reader)
        switch (subtype, isSecond) {
        case (1, false):
            reader.read([
                .version("bcdADC"), .bits("wTotalLength", 2), .byte("bInCollection"),
                .list("baInterfaceNr", 1, "(", ")"),
            ])
        case (1, true):
            reader.read([.version("bcdADC"), .byte("bCategory"), .bits("wTotalLength", 2), .bits("bmControls")])
        case (2, false):
            reader.read(.byte("bTerminalID"))
            readTerminalType(&reader)
            reader.read([
                .byte("bAssocTerminal"), .byte("bNrChannels"), .bits("wChannelConfig", 2), .string("iChannelNames"),
                .string("iTerminal"),
            ])
        case (2, true):
            reader.read(.byte("bTerminalID"))
            readTerminalType(&reader)
            reader.read([
                .byte("bAssocTerminal"), .byte("bCSourceID"), .byte("bNrChannels"), .bits("bmChannelConfig", 4),
                .string("iChannelNames"), .bits("bmControls", 2), .string("iTerminal"),
            ])
        case (3, _):
            reader.read(.byte("bTerminalID"))
            readTerminalType(&reader)
            reader.read([.byte("bAssocTerminal"), .byte("bSourceID")])
            if isSecond { reader.read([.byte("bCSourceID"), .bits("bmControls", 2)]) }
            reader.read(.string("iTerminal"))
        case (6, _): readFeatureUnit(isSecond: isSecond, &reader)
        case (0x0a, true):
            reader.read([
                .byte("bClockID"), .bits("bmAttributes"), .bits("bmControls"), .byte("bAssocTerminal"),
                .string("iClockSource"),
            ])
        default: break
        }
    }

    /// Audio 1.0 §4.3.2.5: controls of as many bytes as `bControlSize` says, the name last.
    private static func readFeatureUnit(isSecond: Bool, _ reader: inout FieldReader) {
        reader.read([.byte("bUnitID"), .byte("bSourceID")])
        var size = 4
        if !isSecond { size = Int(reader.read(.byte("bControlSize")) ?? 0) }
        guard (1...4).contains(size), !reader.left.isEmpty else { return }
        let count = (reader.left.count - 1) / size
        reader.readList(.list("bmaControls", size, "(", ")"), count: count)
        if reader.left.count == 1 { reader.read(.string("iFeature")) }
    }

    private static func readTerminalType(_ reader: inout FieldReader) {
        reader.read(.bits("wTerminalType", 2)) { value, field in
            field.meaning =
                switch value {
                case 0x0101: "USB Streaming"
                case 0x0201: "Microphone"
                case 0x0301: "Speaker"
                case 0x0302: "Headphones"
                case 0x0402: "Headset"
                case 0x0602: "Digital Audio Interface"
                default: ""
                }
        }
    }

    // MARK: - Audio streaming (Audio 1.0 §4.5.2 and Formats §2)

    private static func readStreaming(
        _ item: DescriptorWalk.Item, isSecond: Bool, _ reader: inout FieldReader
    ) {
        named("bDescriptorSubtype", ["", "AS_GENERAL", "FORMAT_TYPE", "FORMAT_SPECIFIC"], &reader)
        switch (item.byte(2), isSecond) {
        case (1, false):
            reader.read([.byte("bTerminalLink"), .byte("bDelay")])
            reader.read(.bits("wFormatTag", 2)) { value, field in
                field.meaning = ["", "PCM", "PCM8", "IEEE_FLOAT"][value < 4 ? Int(value) : 0]
            }
        case (1, true):
            reader.read([
                .byte("bTerminalLink"), .bits("bmControls"), .byte("bFormatType"), .bits("bmFormats", 4),
                .byte("bNrChannels"), .bits("bmChannelConfig", 4), .string("iChannelNames"),
            ])
        case (2, false):
            named("bFormatType", ["", "FORMAT_TYPE_I", "FORMAT_TYPE_II", "FORMAT_TYPE_III"], &reader)
            guard item.byte(3) == 1 else { return }
            reader.read([.byte("bNrChannels"), .byte("bSubframeSize"), .byte("bBitResolution")])
            let rates = reader.read(.byte("bSamFreqType")) { value, field in
                field.meaning = value == 0 ? "Continuous" : "Discrete"
            }
            if rates == 0 {
                reader.read([
                    FieldLayout(name: "tLowerSamFreq", width: 3, form: .number),
                    FieldLayout(name: "tUpperSamFreq", width: 3, form: .number),
                ])
            } else {
                reader.readList(.list("tSamFreq", 3), count: Int(rates ?? 0))
            }
        case (2, true):
            reader.read([.byte("bFormatType"), .byte("bSubslotSize"), .byte("bBitResolution")])
        default: break
        }
    }

    // MARK: - MIDI (MIDI 1.0 §6.1.2)

    private static func readMIDI(_ subtype: UInt8, _ reader: inout FieldReader) {
        named("bDescriptorSubtype", ["", "HEADER", "MIDI_IN_JACK", "MIDI_OUT_JACK", "ELEMENT"], &reader)
        switch subtype {
        case 1: reader.read([.version("bcdADC"), .bits("wTotalLength", 2)])
        case 2: reader.read([.byte("bJackType"), .byte("bJackID"), .string("iJack")])
        case 3:
            reader.read([.byte("bJackType"), .byte("bJackID")])
            let pins = Int(reader.read(.byte("bNrInputPins")) ?? 0)
            for pin in 0..<pins where reader.left.count >= 2 {
                reader.read([.byte("baSourceID(\(pin))"), .byte("baSourcePin(\(pin))")])
            }
            reader.read(.string("iJack"))
        default: break
        }
    }
}
