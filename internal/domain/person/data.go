package person

import (
	"log/slog"
	"maps"
	"slices"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/iso"
)

// maxClasses is the most classes a driver's licence has here.
const maxClasses = 32

// Data is one person and document as an agent identified them, or as a reviewer left
// them. A field that is missing or empty was not there. It keeps its content through
// encoding/json.
type Data struct {
	Userdata       map[Field]string
	Document       map[DocumentField]string
	DriversClasses []string // of a driver's licence, in the document's order
}

// Check says what an agent or a reviewer must not enter: a fault.List with one entry a
// field, fault.UnknownField or fault.Invalid, keyed by the field's name. Nothing is
// mandatory.
func (d Data) Check() error {
	var wrong fault.List
	for _, f := range slices.Sorted(maps.Keys(d.Userdata)) {
		switch v := d.Userdata[f]; {
		case !slices.Contains(Fields, f):
			wrong = append(wrong, fault.Of(fault.UnknownField).In(string(f)))
		case v != "" && (!plainText(v) || !f.code(v)):
			wrong = append(wrong, fault.Value(string(f)))
		}
	}
	for _, f := range slices.Sorted(maps.Keys(d.Document)) {
		switch v := d.Document[f]; {
		case !slices.Contains(DocumentFields, f) || f == DriversClasses:
			wrong = append(wrong, fault.Of(fault.UnknownField).In(string(f)))
		case v != "" && (!plainText(v) || !f.code(v)):
			wrong = append(wrong, fault.Value(string(f)))
		}
	}
	if len(d.DriversClasses) > maxClasses || !allClasses(d.DriversClasses) {
		wrong = append(wrong, fault.Value(string(DriversClasses)))
	}
	return wrong.Err()
}

func (f DocumentField) code(s string) bool {
	switch f {
	case DocumentType:
		return slices.Contains(DocumentTypes, s)
	case DocumentCountry:
		return iso.Country(s)
	case ValidUntil, DateIssued:
		_, ok := day(s)
		return ok
	case DocumentNumber, IssuedBy, DriversClasses:
		return true
	}
	return false
}

// allClasses wants each class to be one to eight capital letters and digits, as C1E or ML.
func allClasses(classes []string) bool {
	for _, class := range classes {
		if class == "" || len(class) > 8 {
			return false
		}
		for i := range len(class) {
			if c := class[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// Clone returns a copy that shares nothing with d.
func (d Data) Clone() Data {
	return Data{
		Userdata:       maps.Clone(d.Userdata),
		Document:       maps.Clone(d.Document),
		DriversClasses: slices.Clone(d.DriversClasses),
	}
}

// LogValue keeps a person's data out of logs.
func (Data) LogValue() slog.Value { return slog.StringValue("person (withheld)") }
