package result

import (
	"bytes"
	"encoding/json"

	"vidimus/internal/domain/person"
)

// Identification is one result as companies read it (13.4). A nil or empty part is absent;
// the first four sections are always there (8.3.2).
type Identification struct {
	Process     Process     `json:"identificationprocess"`
	Custom      Custom      `json:"customdata"`
	Contact     Contact     `json:"contactdata"`
	Userdata    Userdata    `json:"userdata"`
	Document    *Document   `json:"identificationdocument,omitempty"`
	Attachments Attachments `json:"attachments,omitempty"`
	Questions   Questions   `json:"questions,omitempty"`
	Signing     *Signing    `json:"esigning,omitempty"`
}

// Process is the section of 13.1.1. Times are RFC 3339 in UTC, without fractions.
type Process struct {
	Result             string `json:"result,omitempty"`
	AgentName          string `json:"agentname,omitempty"`
	IdentificationTime string `json:"identificationtime,omitempty"`
	Type               string `json:"type,omitempty"`
	TransactionNumber  string `json:"transactionnumber,omitempty"`
	CompanyID          string `json:"companyid,omitempty"`
	ID                 string `json:"id,omitempty"`
	FileName           string `json:"filename,omitempty"`
	Href               string `json:"href,omitempty"`
	Reason             string `json:"reason,omitempty"`
	IdentChanges       *bool  `json:"identchanges,omitempty"`
	ReviewChanges      *bool  `json:"reviewchanges,omitempty"`
	PreviousResult     string `json:"previousresult,omitempty"`
}

// Custom is the section of 13.1.2, with the tracking field of 3.2.8.
type Custom struct {
	Custom1    string `json:"custom1,omitempty"`
	Custom2    string `json:"custom2,omitempty"`
	Custom3    string `json:"custom3,omitempty"`
	Custom4    string `json:"custom4,omitempty"`
	Custom5    string `json:"custom5,omitempty"`
	TrackingID string `json:"trackingid,omitempty"`
}

// Contact is the section of 13.1.3.
type Contact struct {
	Email       string `json:"email,omitempty"`
	MobilePhone string `json:"mobilephone,omitempty"`
}

// Userdata is the section of 13.1.4.
type Userdata struct {
	Firstname   *Entry   `json:"firstname,omitempty"`
	Lastname    *Entry   `json:"lastname,omitempty"`
	Birthday    *Entry   `json:"birthday,omitempty"`
	Birthplace  *Entry   `json:"birthplace,omitempty"`
	Nationality *Entry   `json:"nationality,omitempty"`
	Gender      *Entry   `json:"gender,omitempty"`
	Address     *Address `json:"address,omitempty"`
	Birthname   *Entry   `json:"birthname,omitempty"`
	Title       *Entry   `json:"title,omitempty"`
}

// Address is the part of the user's data that is a section of its own.
type Address struct {
	Street       *Entry `json:"street,omitempty"`
	StreetNumber *Entry `json:"streetnumber,omitempty"`
	City         *Entry `json:"city,omitempty"`
	Zipcode      *Entry `json:"zipcode,omitempty"`
	Country      *Entry `json:"country,omitempty"`
}

// Document is the section of 13.1.5.
type Document struct {
	Type           *Entry   `json:"type,omitempty"`
	Country        *Entry   `json:"country,omitempty"`
	ValidUntil     *Entry   `json:"validuntil,omitempty"`
	Number         *Entry   `json:"number,omitempty"`
	IssuedBy       *Entry   `json:"issuedby,omitempty"`
	DateIssued     *Entry   `json:"dateissued,omitempty"`
	DriversClasses *Classes `json:"driversclasses,omitempty"`
}

// Signing says how the signing of documents ended.
type Signing struct {
	Result string `json:"result"`
}

// Entry is one field with its statuses (13.1.4). A redacted one has the value null, one of a
// failed identification none.
type Entry person.Value

// entry is Entry's form in JSON. A value that somebody took out is an empty string.
type entry struct {
	Value          *string       `json:"value,omitempty"`
	Status         person.Status `json:"status"`
	ReviewStatus   person.Status `json:"reviewstatus,omitempty"`
	Original       string        `json:"original,omitempty"`
	Identification string        `json:"identification,omitempty"`
}

// redacted is what stands for a field that the account withholds.
type redacted struct {
	Value  *string       `json:"value"`
	Status person.Status `json:"status"`
}

// MarshalJSON writes the entry as 13.1.4 prints it.
func (e Entry) MarshalJSON() ([]byte, error) {
	if e.Status == person.Redaction {
		return encode(redacted{Status: e.Status})
	}
	out := entry{Status: e.Status, ReviewStatus: e.ReviewStatus, Original: e.Original, Identification: e.Identification}
	if e.Status != person.Original {
		out.Value = &e.Value
	}
	return encode(out)
}

// Classes are the classes of a driver's licence (13.1.5).
type Classes struct {
	Value          []Class       `json:"value"` // nil, which is null: redacted
	Status         person.Status `json:"status"`
	ReviewStatus   person.Status `json:"reviewstatus,omitempty"`
	Identification []Class       `json:"identification,omitempty"`
}

// Class is one class of a driver's licence.
type Class struct {
	Type string `json:"type"`
}

// Attachments are the files of the ZIP by their keys, in the result's order (13.1.6).
type Attachments []File

// File is one attachment: its key and its name in the ZIP.
type File struct{ Key, Name string }

// MarshalJSON writes an object in the list's order.
func (a Attachments) MarshalJSON() ([]byte, error) {
	var o object
	for _, f := range a {
		o.add(f.Key, f.Name)
	}
	return o.bytes()
}

// Questions are the answers by the questions' keys, in the result's order (13.1.7).
type Questions []Answer

// MarshalJSON writes an object in the list's order.
func (q Questions) MarshalJSON() ([]byte, error) {
	var o object
	for _, a := range q {
		var value any = a.Value.String()
		if n, ok := a.Value.Int(); ok {
			value = n
		}
		o.add(a.Key, struct {
			Value any `json:"value"`
		}{value})
	}
	return o.bytes()
}

// object is a JSON object whose keys keep their order.
type object struct {
	buf bytes.Buffer
	err error
}

func (o *object) add(key string, value any) {
	k, err := encode(key)
	v, err2 := encode(value)
	if o.err == nil && (err != nil || err2 != nil) {
		o.err = err
		if err == nil {
			o.err = err2
		}
	}
	if o.buf.Len() > 0 {
		o.buf.WriteByte(',')
	}
	o.buf.Write(k)
	o.buf.WriteByte(':')
	o.buf.Write(v)
}

func (o *object) bytes() ([]byte, error) { return []byte("{" + o.buf.String() + "}"), o.err }

// encode is json.Marshal without the escapes for HTML: results are read as text as well.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// JSON returns the bare object of 8.3.3.2 and of a webhook's body, keys in the order of
// 13.4, UTF-8, on one line.
func (i Identification) JSON() []byte {
	b, err := encode(i)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}

// WrappedJSON puts bare objects, as JSON returns them, into the object of 13.4 that lists
// and the file in the ZIP are. Without any, the list is empty.
func WrappedJSON(bare ...[]byte) []byte {
	b := []byte(`{"identifications":[`)
	b = append(b, bytes.Join(bare, []byte(","))...)
	return append(b, "]}"...)
}
