package esign

import (
	"encoding/hex"
	"log/slog"
	"slices"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
)

// File is a stored file. The zero File is none.
type File struct {
	Blob  string
	Size  int64
	Hash  []byte // SHA-256
	CRC32 uint32 // IEEE
}

// IsZero says whether there is no file.
func (f File) IsZero() bool { return f.Blob == "" }

// Hex returns the hash as the API shows it; empty where there is no file.
func (f File) Hex() string { return hex.EncodeToString(f.Hash) }

// Display returns the fingerprint that users see: the first twelve digits of the hash in
// groups of four (7.2). Empty where there is no file.
func (f File) Display() string {
	digits := f.Hex()
	if len(digits) < 12 {
		return ""
	}
	return digits[:4] + "-" + digits[4:8] + "-" + digits[8:12]
}

// Status is how far a document is (7.2).
type Status string

// The statuses.
const (
	NeedUpload Status = "NEED_UPLOAD"
	Uploaded   Status = "UPLOADED"
	Signed     Status = "SIGNED"
)

// Document is the instance of a definition in one identification. All of it is personal.
type Document struct {
	Definition Definition // as it was when the identification was created
	Name       string
	Version    string
	Signatures []Signature // its own, beside those of the definition
	File       File        // what was uploaded, or a copy of the definition's default
	ByUser     bool        // the user has uploaded it
	Hand       []Stroke    // what the user wrote for handwritten signatures; nil: nothing yet
	HandIn     int         // the attempt in which the user wrote it
	SignedFile File        // what came of it
	Record     File        // the record of the signing, with the first document of those signed together
}

// Stroke is one line of a pen, from point to point.
type Stroke []Point

// Point is a place on the surface that the user writes on: 0, 0 is its upper left corner, 1, 1
// its lower right one.
type Point struct{ X, Y float64 }

// Bounds of what a user writes.
const (
	maxStrokes = 200
	maxPoints  = 5000 // in all strokes
)

// CheckHand says whether strokes are handwriting: fault.Invalid for none at all, too many
// points, or points beside the surface.
func CheckHand(strokes []Stroke) error {
	points := 0
	for _, s := range strokes {
		for _, p := range s {
			if !(p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1) { // NaN is beside it too
				return fault.Value("signature")
			}
			points++
		}
	}
	if points < 2 || points > maxPoints || len(strokes) > maxStrokes {
		return fault.Value("signature")
	}
	return nil
}

// ToSign says whether the document will be signed: a PDF that is there.
func (d Document) ToSign() bool { return IsPDF(d.Definition.MIMEType) && !d.File.IsZero() }

// Handwritten says whether any of its signatures is.
func (d Document) Handwritten() bool {
	return slices.ContainsFunc(d.AllSignatures(), func(s Signature) bool { return s.Type == Handwritten })
}

// SignedName is the name of a signed document among the files of the result (7.2.7).
func SignedName(id Identifier) string { return string(id) + "_signed.pdf" }

// RecordName is that of the record of the signing.
func RecordName(n ident.TransactionNumber) string { return string(n) + "_signing_record.pdf" }

// NewDocument makes an instance of a definition, without a file.
func NewDocument(d Definition) Document {
	return Document{Definition: d, Name: d.Name, Version: d.Version}
}

// LogValue keeps documents out of logs.
func (Document) LogValue() slog.Value { return slog.StringValue("document (withheld)") }

// Status returns how far it is.
func (d Document) Status() Status {
	switch {
	case !d.SignedFile.IsZero():
		return Signed
	case !d.File.IsZero():
		return Uploaded
	default:
		return NeedUpload
	}
}

// Missing says whether the process cannot begin for want of the file.
func (d Document) Missing() bool { return d.File.IsZero() && !d.Definition.Optional }

// AllSignatures returns the signatures of the definition combined with its own.
func (d Document) AllSignatures() []Signature { return Combine(d.Definition.Signatures, d.Signatures) }

// DocumentChange is what a request says of a document; nil is not sent.
type DocumentChange struct {
	Name       *string
	Version    *string
	Signatures *[]Signature
}

// Set takes one field, as Change.Set does.
func (c *DocumentChange) Set(field string, value any) error {
	switch field {
	case "name":
		return read(field, value, &c.Name, line)
	case "version":
		return read(field, value, &c.Version, line)
	}
	return fault.Of(fault.UnknownField).In(field)
}

// IsZero says whether nothing was sent.
func (c DocumentChange) IsZero() bool {
	return c.Name == nil && c.Version == nil && c.Signatures == nil
}

// Apply returns d with what was sent in the place of what there was; its own signatures are
// replaced as a whole, those of the definition stay.
func (c DocumentChange) Apply(d Document) Document {
	replace(&d.Name, c.Name)
	replace(&d.Version, c.Version)
	replace(&d.Signatures, c.Signatures)
	return d
}

// CheckSpots says whether what was found is enough: a signature without a place that is not
// optional is fault.Precondition with its name as key, each one of its own; so is, where one
// signature a document is the rule, one that has several places.
func (r Rules) CheckSpots(signatures []Signature, found []Spot) error {
	places := map[string]int{}
	for _, s := range found {
		places[s.Signature]++
	}
	var wrong fault.List
	for _, s := range signatures {
		switch n := places[s.Name]; {
		case n == 0 && !s.Optional:
			wrong = append(wrong, fault.New(fault.Precondition, "The document has no place for this signature").In(s.Name))
		case n > 1 && r.Swiss:
			wrong = append(wrong, fault.New(fault.Precondition, "The document has more than one place for this signature").In(s.Name))
		}
	}
	return wrong.Err()
}

// Stored is a definition as it is stored, with its default file.
type Stored struct {
	Definition
	Company   company.ID
	File      File // the zero File: none
	CreatedAt time.Time
}

// Row is a document as it is stored: what is personal in it is sealed.
type Row struct {
	Identification ident.ID
	Company        company.ID
	KeyID          string // the identification's key when it was made; of another one nothing is left
	Identifier     Identifier
	SortOrder      int64
	Revision       int64 // grows with every change; a change carries the one it has read
	Sealed         []byte
	ChangedAt      time.Time
}

// Instances are the documents of a new identification, and the revision of the company's
// definitions that they were made of.
type Instances struct {
	Revision int64
	Rows     []Row
}
