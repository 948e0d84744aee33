package result

import (
	"slices"
	"strings"
)

// The keys of attachments that the code itself gives (13.1.6), and of the other members of
// the ZIP.
const (
	KeyPDF      = "pdf"
	KeyXML      = "xml"
	KeySig      = "sig"
	KeyJSON     = "json"
	KeyAudioLog = "audiolog"
	KeyVideoLog = "videolog"
)

// attachmentOrder is that of the printed results; what they lack follows, in the order of
// the table. Numbered security features and custom images have places of their own.
var attachmentOrder = []string{
	KeyPDF, KeyXML, KeySig, KeyVideoLog, "idfrontside", "idbackside", "userface", "security", "security_covered",
	"idholograms", KeyAudioLog, "livenessleft", "livenessright",
}

// place returns where a key stands; unknown ones, the custom images, stand last.
func place(key string) int {
	if digits, ok := strings.CutPrefix(key, "security"); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
		key = "security"
	}
	if i := slices.Index(attachmentOrder, key); i >= 0 {
		return i
	}
	return len(attachmentOrder)
}

// attachments lists the files of the result: the report and the XML always, the signature
// where the account has one, then pictures and recordings, each key once.
func attachments(in Input) Attachments {
	keys := []Attachment{{Key: KeyPDF}, {Key: KeyXML}}
	if in.Settings.XMLSignature {
		keys = append(keys, Attachment{Key: KeySig})
	}
	keys = append(keys, in.Attachments...)
	slices.SortStableFunc(keys, func(a, b Attachment) int {
		if p := place(a.Key) - place(b.Key); p != 0 || place(a.Key) == len(attachmentOrder) {
			return p
		}
		if p := len(a.Key) - len(b.Key); p != 0 {
			return p // security10 comes after security9
		}
		return strings.Compare(a.Key, b.Key)
	})
	var list Attachments
	for _, a := range keys {
		if a.Key == "" || slices.ContainsFunc(list, func(f File) bool { return f.Key == a.Key }) {
			continue
		}
		list = append(list, File{Key: a.Key, Name: a.file(string(in.TransactionNumber), in.Settings)})
	}
	return list
}

func (a Attachment) file(number string, s Settings) string {
	image, audio := s.ImageExtension(), s.AudioExtension()
	if a.Extension != "" {
		image, audio = a.Extension, a.Extension
	}
	return AttachmentName(number, a.Key, image, audio)
}

// AttachmentName returns the name in the ZIP of the file with that key (13.1.6); custom
// images have their question's key. The extensions are without a dot. In the result,
// anything outside A-Z a-z 0-9 . _ - is an underscore.
func AttachmentName(transactionnumber, key, imageExtension, audioExtension string) string {
	ending := "_" + key + "." + imageExtension
	switch key {
	case KeyPDF, KeyXML, KeySig, KeyJSON:
		ending = "." + key
	case KeyAudioLog:
		ending = "." + audioExtension
	case KeyVideoLog:
		ending = ".mp4"
	case "livenessleft":
		ending = "_liveness_left." + imageExtension
	case "livenessright":
		ending = "_liveness_right." + imageExtension
	}
	return strings.Map(fileCharacter, transactionnumber+ending)
}

func fileCharacter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
		return r
	}
	return '_'
}
