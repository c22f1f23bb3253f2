import CXKBCommon
import Glibc
import KeyboardLayouts

/// What a host reads when keys are pressed: XKB's state and its list of dead key sequences.
///
/// Keys are found by their places, not by their codes: XKB calls the key right of Tab AD01, and the HID Usage Tables
/// call it Q.
@safe
final class KeyDecoder {
    /// Whether the list of sequences is installed (Debian: `libx11-data`).
    static let hasSequences = unsafe access(sequences, R_OK) == 0

    private static let sequences = "/usr/share/X11/locale/en_US.UTF-8/Compose"

    private let context: OpaquePointer
    private let keymap: OpaquePointer
    private let table: OpaquePointer

    init?(layout: String, variant: String = "") {
        guard let context = unsafe xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES),
            let file = unsafe fopen(Self.sequences, "r")
        else { return nil }
        defer { unsafe fclose(file) }
        unsafe self.context = unsafe context
        let table = unsafe xkb_compose_table_new_from_file(
            context, file, "C.UTF-8", XKB_COMPOSE_FORMAT_TEXT_V1, XKB_COMPOSE_COMPILE_NO_FLAGS)
        let keymap = unsafe layout.withCString { layout in
            unsafe variant.withCString { variant in
                unsafe "evdev".withCString { rules in
                    unsafe "pc105".withCString { model in
                        var names = unsafe xkb_rule_names(
                            rules: rules, model: model, layout: layout, variant: variant, options: nil)
                        return unsafe xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS)
                    }
                }
            }
        }
        guard let table = unsafe table, let keymap = unsafe keymap else {
            unsafe xkb_compose_table_unref(table)
            unsafe xkb_keymap_unref(keymap)
            unsafe xkb_context_unref(context)
            return nil
        }
        unsafe self.table = unsafe table
        unsafe self.keymap = unsafe keymap
    }

    deinit {
        unsafe xkb_compose_table_unref(table)
        unsafe xkb_keymap_unref(keymap)
        unsafe xkb_context_unref(context)
    }

    /// The text that the strokes give, with "�" for keys that do not exist and for sequences that mean nothing.
    func text(_ strokes: [KeyStroke], numLock: Bool = false) -> String {
        guard let state = unsafe xkb_state_new(keymap),
            let sequence = unsafe xkb_compose_state_new(table, XKB_COMPOSE_STATE_NO_FLAGS)
        else { return "�" }
        defer {
            unsafe xkb_compose_state_unref(sequence)
            unsafe xkb_state_unref(state)
        }
        if numLock {
            unsafe xkb_state_update_key(state, code(of: "NMLK"), XKB_KEY_DOWN)
            unsafe xkb_state_update_key(state, code(of: "NMLK"), XKB_KEY_UP)
        }
        var text = ""
        for stroke in strokes {
            guard let name = Self.places[stroke.usage] else {
                text += "�"
                continue
            }
            let held = Self.modifiers.indices.filter { stroke.modifiers & 1 << UInt8($0) != 0 }
            for index in held { unsafe xkb_state_update_key(state, code(of: Self.modifiers[index]), XKB_KEY_DOWN) }
            let key = code(of: name)
            unsafe xkb_state_update_key(state, key, XKB_KEY_DOWN)
            unsafe xkb_compose_state_feed(sequence, xkb_state_key_get_one_sym(state, key))
            let status = unsafe xkb_compose_state_get_status(sequence)
            switch status {
            case XKB_COMPOSE_COMPOSING: break
            case XKB_COMPOSE_COMPOSED:
                text += unsafe Self.text { unsafe xkb_compose_state_get_utf8(sequence, $0, $1) }
                unsafe xkb_compose_state_reset(sequence)
            case XKB_COMPOSE_CANCELLED:
                text += "�"
                unsafe xkb_compose_state_reset(sequence)
            default:
                let typed = unsafe Self.text { unsafe xkb_state_key_get_utf8(state, key, $0, $1) }
                text += typed == "\r" ? "\n" : typed.isEmpty ? "�" : typed
            }
            unsafe xkb_state_update_key(state, key, XKB_KEY_UP)
            for index in held { unsafe xkb_state_update_key(state, code(of: Self.modifiers[index]), XKB_KEY_UP) }
        }
        return unsafe xkb_compose_state_get_status(sequence) == XKB_COMPOSE_COMPOSING ? text + "�" : text
    }

    private func code(of name: String) -> UInt32 { unsafe xkb_keymap_key_by_name(keymap, name) }

    private static func text(_ fill: (UnsafeMutablePointer<CChar>?, Int) -> Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = unsafe buffer.withUnsafeMutableBufferPointer { unsafe fill($0.baseAddress, $0.count) }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let modifiers = ["LCTL", "LFSH", "LALT", "LWIN", "RCTL", "RTSH", "RALT", "RWIN"]

    private static let places: [UInt8: String] = {
        var places: [UInt8: String] = [
            0x28: "RTRN", 0x29: "ESC", 0x2B: "TAB", 0x2C: "SPCE", 0x2D: "AE11", 0x2E: "AE12", 0x2F: "AD11",
            0x30: "AD12", 0x31: "BKSL", 0x33: "AC10", 0x34: "AC11", 0x35: "TLDE", 0x36: "AB08", 0x37: "AB09",
            0x38: "AB10", 0x54: "KPDV", 0x55: "KPMU", 0x56: "KPSU", 0x57: "KPAD", 0x58: "KPEN", 0x59: "KP1",
            0x5A: "KP2", 0x5B: "KP3", 0x5C: "KP4", 0x5D: "KP5", 0x5E: "KP6", 0x5F: "KP7", 0x60: "KP8", 0x61: "KP9",
            0x62: "KP0", 0x63: "KPDL", 0x64: "LSGT", 0x67: "KPEQ", 0x85: "I129", 0x87: "AB11", 0x88: "HKTG",
            0x89: "AE13", 0x8A: "HENK", 0x8B: "MUHE",
        ]
        for (row, letters) in [("AD", "qwertyuiop"), ("AC", "asdfghjkl"), ("AB", "zxcvbnm")] {
            for (column, letter) in letters.utf8.enumerated() {
                places[0x04 + letter - UInt8(ascii: "a")] = row + (column < 9 ? "0" : "") + String(column + 1)
            }
        }
        for column in UInt8(0)..<10 { places[0x1E + column] = "AE" + (column < 9 ? "0" : "") + String(column + 1) }
        return places
    }()
}
