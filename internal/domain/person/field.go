// Package person decides what is known of the person to be identified: what the company
// sent, what an agent read, what a reviewer left, and how these differ field by field.
// Specification, chapters 3.2.8, 13.1.2 to 13.1.5 and 14.5.
package person

// Field is one field of the user's data, named as in requests and results (3.2.8, 13.1.4).
type Field string

// The user's fields.
const (
	Firstname    Field = "firstname"
	Lastname     Field = "lastname"
	Birthday     Field = "birthday"
	Birthplace   Field = "birthplace"
	Birthname    Field = "birthname"
	Nationality  Field = "nationality"
	Gender       Field = "gender"
	Title        Field = "title"
	Street       Field = "street"
	StreetNumber Field = "streetnumber"
	City         Field = "city"
	Zipcode      Field = "zipcode"
	Country      Field = "country"
)

// Fields lists the user's fields in the order of the printed result, then what it lacks.
var Fields = []Field{
	Firstname, Lastname, Birthday, Birthplace, Nationality, Gender,
	Street, StreetNumber, City, Country, Zipcode, Birthname, Title,
}

// DocumentField is one field of the identification document (13.1.5).
type DocumentField string

// The document's fields.
const (
	DocumentType    DocumentField = "type"
	DocumentCountry DocumentField = "country"
	ValidUntil      DocumentField = "validuntil"
	DocumentNumber  DocumentField = "number"
	IssuedBy        DocumentField = "issuedby"
	DateIssued      DocumentField = "dateissued"
	DriversClasses  DocumentField = "driversclasses"
)

// DocumentFields lists the document's fields in the order of the table. DriversClasses is
// among them because it can be redacted; its values stand in Data.DriversClasses.
var DocumentFields = []DocumentField{
	DocumentType, DocumentCountry, ValidUntil, DocumentNumber, IssuedBy, DateIssued, DriversClasses,
}

// DocumentTypes lists the values of DocumentType (13.1.5).
var DocumentTypes = []string{"IDCARD", "PASSPORT", "DRIVERS_LICENSE", "RESIDENCE_TITLE"}

// Show returns a value of this field as results show it: text in upper case, the title,
// dates and codes as they are. A blank one is empty.
func (f Field) Show(s string) string {
	if blank(s) {
		return ""
	}
	switch f {
	case Birthday, Nationality, Gender, Title, Country:
		return s
	case Firstname, Lastname, Birthplace, Birthname, Street, StreetNumber, City, Zipcode:
		return Upper(s)
	}
	return Upper(s)
}

// Show returns a value of this field as results show it: the issuer in upper case, the
// rest, which are codes and dates, as they are. A blank one is empty.
func (f DocumentField) Show(s string) string {
	switch {
	case blank(s):
		return ""
	case f == IssuedBy:
		return Upper(s)
	default:
		return s
	}
}
