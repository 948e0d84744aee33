// Package specimen makes the evidence a test robot leaves behind: pictures of a document
// and of a face, a sound track and a film. Everything is drawn or synthesised for this
// project and says SPECIMEN; no real document, emblem or person is imitated, and a
// machine can read the zone on the card. Specification, chapters 13.1.6 and 15.
package specimen

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/mrz"
)

// Holder is the person the specimen documents belong to. Every text may be empty and may
// hold any Unicode, valid or not; what is too long is drawn smaller and then cut. Dates
// look like 1975-12-20; another text is drawn as it is and unknown to the zone.
type Holder struct {
	Title, FirstNames, LastName, BirthName   string
	Birthday, Birthplace                     string
	Nationality                              string // ISO 3166-1 alpha-2
	Gender                                   string // begins with M or F; anything else is unspecified
	Street, StreetNumber, Zip, City, Country string // Country as Nationality
	Document                                 Document
}

// Document is what is known of the holder's document.
type Document struct {
	Type       string // "PASSPORT"; anything else is a card
	Country    string // ISO 3166-1 alpha-2
	Number     string
	ValidUntil string
	IssuedBy   string
	DateIssued string
}

// Sizes in pixels: cards are ID-1 at 300 dpi, close-ups a part of one, faces a portrait.
const (
	CardWidth, CardHeight       = 1012, 638
	CloseUpWidth, CloseUpHeight = 800, 504
	FaceWidth, FaceHeight       = 480, 600
)

// The formats of Render.
const (
	JPEG = "jpeg"
	PNG  = "png"
)

// pictures are the images Render knows by name.
var pictures = map[string]func(*Holder) *canvas{
	"idfrontside":      front,
	"idbackside":       back,
	"idholograms":      holograms,
	"userface":         func(h *Holder) *canvas { return selfie(h, 0) },
	"livenessleft":     func(h *Holder) *canvas { return selfie(h, -1) },
	"livenessright":    func(h *Holder) *canvas { return selfie(h, 1) },
	"security1":        func(h *Holder) *canvas { return closeUp(h, 0) },
	"security2":        func(h *Holder) *canvas { return closeUp(h, 1) },
	"security3":        ultraviolet,
	"security_covered": covered,
}

// Render draws one image and returns the encoded file. The keys are those of the
// specification (13.1.6): idfrontside, idbackside and idholograms have the size of a
// card; security1 to security3 and security_covered of a close-up; userface, livenessleft
// and livenessright of a face. Any other key is a custom image: a plain card that shows
// the key. The format is JPEG or PNG; another one is a fault.Invalid. The same input
// gives the same bytes on the same kind of machine. Safe for concurrent use.
func Render(h Holder, key, format string) ([]byte, error) {
	if format != JPEG && format != PNG {
		return nil, fault.New(fault.Invalid, "an image is %q or %q", JPEG, PNG).In("format")
	}
	var c *canvas
	if draw, known := pictures[key]; known {
		c = draw(&h)
	} else {
		c = custom(&h, key)
	}
	return encode(c.img, format)
}

func encode(img *image.RGBA, format string) ([]byte, error) {
	var b bytes.Buffer
	if format == JPEG {
		err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80})
		return b.Bytes(), err
	}
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	var picture image.Image = img
	if img.Rect.Dx() > FaceWidth { // a face is small as it is
		picture = paletted(img)
	}
	err := e.Encode(&b, picture)
	return b.Bytes(), err
}

// MRZ returns the machine-readable zone that is drawn: three lines of TD1 on the back of
// a card, two lines of TD3 on the front of a passport. It is always valid: a country that
// has no code is UTO, a number without letters and digits is SPECIMEN, a date that is
// none is unknown.
func MRZ(h Holder) []string {
	z := mrz.Zone{
		Format: mrz.TD1, Code: "I",
		Issuer:     zoneCountry(h.Document.Country, h.Country),
		Number:     zoneNumber(h.Document.Number, 22),
		Birthday:   zoneDate(h.Birthday),
		ValidUntil: zoneDate(h.Document.ValidUntil),
		Surname:    h.LastName, GivenNames: h.FirstNames,
	}
	z.Nationality = zoneCountry(h.Nationality, h.Document.Country)
	switch {
	case strings.HasPrefix(h.Gender, "M"):
		z.Sex = "M"
	case strings.HasPrefix(h.Gender, "F"):
		z.Sex = "F"
	}
	if h.passport() {
		z.Format, z.Code, z.Number = mrz.TD3, "P", zoneNumber(h.Document.Number, 9)
	}
	lines, err := z.Lines()
	if err != nil {
		panic("specimen: a zone made to fit does not fit: " + err.Error())
	}
	return lines
}

func (h *Holder) passport() bool { return h.Document.Type == "PASSPORT" }

func zoneCountry(alpha2 ...string) string {
	for _, a := range alpha2 {
		if code, ok := mrz.Country(a); ok {
			return code
		}
	}
	return "UTO"
}

func zoneNumber(number string, most int) string {
	s := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(number))
	if s == "" {
		return "SPECIMEN"
	}
	return s[:min(len(s), most)]
}

func zoneDate(text string) string {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		d = time.Time{}
	}
	return mrz.Date(d)
}

// shown returns a text as it can be drawn: composed, without control characters, bounded.
func shown(parts ...string) string {
	const most = 160
	text := strings.Join(strings.Fields(strings.ToValidUTF8(strings.Join(parts, " "), "?")), " ")
	text = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf) {
			return -1
		}
		return r
	}, text)
	runes := []rune(norm.NFC.String(text))
	return string(runes[:min(len(runes), most)])
}

// date returns 1975-12-20 as a card prints it: 20.12.1975.
func date(text string) string {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return d.Format("02.01.2006")
}

// seed is what makes two holders look different: a hash of the name.
func (h *Holder) seed() uint64 {
	f := fnv.New64a()
	_, _ = f.Write([]byte(h.FirstNames + "\x00" + h.LastName))
	return f.Sum64()
}
