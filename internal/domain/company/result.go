package company

import (
	"net/url"
	"regexp"
	"strings"
)

// ImageFormat is how pictures are handed out (13.2.1).
type ImageFormat string

// AudioFormat is how the conversation is handed out.
type AudioFormat string

// The formats.
const (
	JPEG ImageFormat = "jpeg"
	PNG  ImageFormat = "png"
	MP3  AudioFormat = "mp3"
	WAV  AudioFormat = "wav"
)

// DocumentFields lists the fields of an identity document that an account may have redacted
// (13.1.5, 13.3).
var DocumentFields = []string{"type", "country", "validuntil", "number", "issuedby", "dateissued", "driversclasses"}

// Results is what a company's results look like.
type Results struct {
	Filename     string // of the ZIP, without .zip: text and placeholders; empty: the transaction number
	ImageFormat  ImageFormat
	AudioFormat  AudioFormat
	XMLSignature bool
	Redact       []string // of DocumentFields
}

// Placeholders lists the names that may stand in braces in Results.Filename.
var Placeholders = []string{"transactionnumber", "id", "custom1", "custom2", "custom3", "custom4", "custom5"}

// maxFileName is the longest file name, in characters, without .zip, that is not the bare
// transaction number: short enough that a suffix fits into the 255 bytes of common file
// systems.
const maxFileName = 200

var placeholder = regexp.MustCompile(`\{(transactionnumber|id|custom[1-5])\}`)

// FileName returns the name of the ZIP, without .zip. values returns what stands for a
// placeholder. Every character outside A-Z a-z 0-9 . _ - becomes _; when nothing is left it is
// the transaction number. What is longer than 200 characters is cut, but never the bare
// number. One that begins with . or - gets a _ in front. The name is not unique: a taken one
// gets a suffix from whoever keeps the names.
func (r Results) FileName(values func(name string) string) string {
	name := placeholder.ReplaceAllStringFunc(r.Filename, func(p string) string { return values(p[1 : len(p)-1]) })
	most := maxFileName
	if number := values("transactionnumber"); name == "" || name == number {
		name, most = number, len(number)
	}
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, name)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		name = "_" + name // programs hide the first, and take the second for an option
		if most != maxFileName {
			most++
		}
	}
	return name[:min(len(name), most)]
}

// Redirect is an address that a user's browser is sent to at the end. <transactionnumber>
// in it stands for the number (6.2).
type Redirect string

// For returns the address for one identification, the number URL-encoded; empty when there
// is none.
func (r Redirect) For(transactionNumber string) string {
	// In a path a plus sign is itself, in a query it is a space: %20 is right in both.
	encoded := strings.ReplaceAll(url.QueryEscape(transactionNumber), "+", "%20")
	return strings.ReplaceAll(string(r), "<transactionnumber>", encoded)
}
