package esign

import (
	"strings"
	"unicode/utf8"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
)

// SignatureType is what shows that a document was signed (7.1.2).
type SignatureType string

// The types.
const (
	Electronic  SignatureType = "ELECTRONIC"  // a seal with text
	Handwritten SignatureType = "HANDWRITTEN" // written by the user
)

// BuiltInSeal is the name of the picture that there always is.
const BuiltInSeal = "idnow_seal"

// What holds where a signature says nothing.
const defaultFontSize = 8

// Bounds of what a signature says. PDF pages are at most 14400 points wide and high.
const (
	maxSignatures   = 100
	maxName         = 64
	maxFontSize     = 144
	maxLength       = 14400
	maxPage         = 100_000
	maxSearchedText = 255
)

// Signature is one signature on a document. Its defaults are filled in.
type Signature struct {
	Name      string
	Type      SignatureType
	Position  Position
	FontSize  float64
	FontSize2 float64 // of the second line; zero: the account has none
	Image     string  // BuiltInSeal or the name of a seal of the account
	Optional  bool    // a missing place is no mistake
}

// Position says where a signature stands: relative to exactly one of a form field, a page,
// and each occurrence of a text. Lengths are in points, as the page is displayed.
type Position struct {
	AcroField   string
	Page        int64 // from 1
	TextContent string
	Left        float64
	Bottom      float64
	Width       float64
	Height      float64
}

// Rules are what an account may do with signatures.
type Rules struct {
	Handwritten bool
	Swiss       bool // one signature a document, which has a second line
	Seals       func(name string) bool
}

// RulesOf returns the rules of an account.
func RulesOf(e company.ESign) Rules {
	return Rules{Handwritten: e.Handwritten, Swiss: e.Datacenter == company.CH, Seals: func(name string) bool { _, ok := e.Seals[name]; return ok }}
}

// Sent is a signature as a request describes it, in the making: call Set and SetPosition
// for what it says, then Done.
type Sent struct {
	rules  Rules
	name   string
	kind   *SignatureType
	size   *float64
	size2  *float64
	image  *string
	option *bool

	positioned bool
	field      *string
	page       *int64
	text       *string
	lengths    [4]*float64 // left, bottom, width, height
}

// NewSent begins a signature. fault.Invalid with the key signatures for a name that is
// empty, too long, or not one line of text.
func (r Rules) NewSent(name string) (*Sent, error) {
	if strings.TrimSpace(name) == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, unprintable) {
		return nil, fault.Value("signatures")
	}
	return &Sent{rules: r, name: name}, nil
}

// Set takes one field of the signature other than position, as Change.Set does.
// fault.Forbidden for a handwritten signature in an account that has none.
func (s *Sent) Set(field string, value any) error {
	switch field {
	case "type":
		err := read(field, value, &s.kind, func(t string) (SignatureType, bool) {
			return SignatureType(t), SignatureType(t) == Electronic || SignatureType(t) == Handwritten
		})
		if err == nil && s.kind != nil && *s.kind == Handwritten && !s.rules.Handwritten {
			return fault.New(fault.Forbidden, "Handwritten signatures are not enabled for this account").In(field)
		}
		return err
	case "signatureFontSize":
		return number(field, value, &s.size, 1, maxFontSize)
	case "signatureFontSize2":
		if s.rules.Swiss {
			return number(field, value, &s.size2, 1, maxFontSize)
		}
	case "signatureImage":
		return read(field, value, &s.image, func(name string) (string, bool) {
			return name, name == BuiltInSeal || s.rules.Seals != nil && s.rules.Seals(name)
		})
	case "optional":
		return boolean(field, value, &s.option)
	}
	return fault.Of(fault.UnknownField).In(field)
}

// lengths are the fields of a position that are lengths, in the order of Sent.lengths.
var lengths = []string{"left", "bottom", "width", "height"}

// SetPosition takes one field of the position, as Change.Set does.
func (s *Sent) SetPosition(field string, value any) error {
	s.positioned = true
	switch field {
	case "acrofield":
		return read(field, value, &s.field, searched)
	case "textcontent":
		return read(field, value, &s.text, searched)
	case "page":
		return integer(field, value, &s.page, 1, maxPage)
	}
	for n, name := range lengths {
		if name == field {
			return number(field, value, &s.lengths[n], -maxLength, maxLength)
		}
	}
	return fault.Of(fault.UnknownField).In(field)
}

// searched takes a text that is looked for in a document.
func searched(s string) (string, bool) {
	return s, utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxSearchedText && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, unprintable)
}

// Done returns the signature with its defaults filled in. Every mistake is a fault of its
// own: no position, or not exactly one thing that it is relative to, under the key position;
// width and height must be given and not be zero or less; from the border of a page, left
// and bottom must not be negative. Call it only when Set and SetPosition found nothing wrong.
func (s *Sent) Done() (Signature, error) {
	out := Signature{Name: s.name, Type: Electronic, FontSize: defaultFontSize, Image: BuiltInSeal}
	if s.rules.Swiss {
		out.FontSize2 = defaultFontSize
	}
	replace(&out.Type, s.kind)
	replace(&out.FontSize, s.size)
	replace(&out.FontSize2, s.size2)
	replace(&out.Image, s.image)
	replace(&out.Optional, s.option)
	p := &out.Position
	replace(&p.AcroField, s.field)
	replace(&p.TextContent, s.text)
	replace(&p.Page, s.page)
	for n, into := range []*float64{&p.Left, &p.Bottom, &p.Width, &p.Height} {
		replace(into, s.lengths[n])
	}
	return out, p.check()
}

func (p Position) check() error {
	var wrong fault.List
	relative := 0
	for _, given := range []bool{p.AcroField != "", p.Page != 0, p.TextContent != ""} {
		if given {
			relative++
		}
	}
	if relative != 1 {
		wrong = append(wrong, fault.Value("position"))
	}
	if p.Page != 0 && p.Left < 0 {
		wrong = append(wrong, fault.Value("left"))
	}
	if p.Page != 0 && p.Bottom < 0 {
		wrong = append(wrong, fault.Value("bottom"))
	}
	if p.Width <= 0 {
		wrong = append(wrong, fault.Value("width"))
	}
	if p.Height <= 0 {
		wrong = append(wrong, fault.Value("height"))
	}
	return wrong.Err()
}

// CheckNumber says whether a document of the account may have that many signatures; else
// fault.Invalid with the key signatures.
func (r Rules) CheckNumber(signatures int) error {
	if r.Swiss && signatures > 1 || signatures > maxSignatures {
		return fault.Value("signatures")
	}
	return nil
}

// Combine returns what stands on a document whose definition has these signatures and which
// has its own beside them: one of its own takes the place of the definition's of the same
// name, whole; others follow (7.1.2.6).
func Combine(definition, own []Signature) []Signature {
	byName := make(map[string]Signature, len(own))
	for _, s := range own {
		byName[s.Name] = s
	}
	all := make([]Signature, 0, len(definition)+len(own))
	for _, s := range definition {
		if mine, ok := byName[s.Name]; ok {
			s = mine
			delete(byName, s.Name)
		}
		all = append(all, s)
	}
	for _, s := range own {
		if _, left := byName[s.Name]; left {
			all = append(all, s)
		}
	}
	return all
}
