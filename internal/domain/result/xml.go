package result

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"

	"vidimus/internal/domain/person"
)

// XML returns the results as 13.3 prints them: elements in the order of the printed
// example, what it lacks after it in the order of the tables. Characters that XML 1.0
// cannot hold become U+FFFD, and what cannot stand in an element's name an underscore.
func XML(all ...Identification) []byte {
	var x markup
	x.buf.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.section("identifications", func() {
		for _, i := range all {
			x.section("identification", func() { x.identification(i) })
		}
	})
	return x.buf.Bytes()
}

// markup writes elements, indented by their depth.
type markup struct {
	buf   bytes.Buffer
	depth int
}

// attribute is one attribute of an element; an empty one is left out.
type attribute struct{ name, value string }

func (x *markup) identification(i Identification) {
	x.section("identificationprocess", func() { x.process(i.Process) })
	x.section("customdata", func() {
		x.text("custom1", i.Custom.Custom1)
		x.text("custom2", i.Custom.Custom2)
		x.text("custom3", i.Custom.Custom3)
		x.text("custom4", i.Custom.Custom4)
		x.text("custom5", i.Custom.Custom5)
		x.text("trackingid", i.Custom.TrackingID)
	})
	x.section("contactdata", func() {
		x.text("email", i.Contact.Email)
		x.text("mobilephone", i.Contact.MobilePhone)
	})
	x.section("userdata", func() { x.userdata(i.Userdata) })
	if i.Document != nil {
		x.section("identificationdocument", func() { x.document(*i.Document) })
	}
	if len(i.Attachments) > 0 {
		x.section("attachments", func() {
			for _, f := range i.Attachments {
				x.text(elementName(f.Key), f.Name)
			}
		})
	}
	if len(i.Questions) > 0 {
		x.section("questions", func() {
			for _, a := range i.Questions {
				x.text(elementName(a.Key), a.Value.String())
			}
		})
	}
	if i.Signing != nil {
		x.section("esigning", func() { x.text("result", i.Signing.Result) })
	}
}

func (x *markup) process(p Process) {
	x.text("result", p.Result)
	x.text("agentname", p.AgentName)
	x.text("identificationtime", p.IdentificationTime)
	x.text("type", p.Type)
	x.text("transactionnumber", p.TransactionNumber)
	x.text("companyid", p.CompanyID)
	x.text("id", p.ID)
	x.text("filename", p.FileName)
	x.text("href", p.Href)
	x.text("reason", p.Reason)
	x.flag("identchanges", p.IdentChanges)
	x.flag("reviewchanges", p.ReviewChanges)
	x.text("previousresult", p.PreviousResult)
}

func (x *markup) userdata(u Userdata) {
	x.entry("firstname", u.Firstname)
	x.entry("lastname", u.Lastname)
	x.entry("birthday", u.Birthday)
	x.entry("birthplace", u.Birthplace)
	x.entry("nationality", u.Nationality)
	x.entry("gender", u.Gender)
	if a := u.Address; a != nil {
		x.section("address", func() {
			x.entry("street", a.Street)
			x.entry("streetnumber", a.StreetNumber)
			x.entry("city", a.City)
			x.entry("country", a.Country)
			x.entry("zipcode", a.Zipcode)
		})
	}
	x.entry("birthname", u.Birthname)
	x.entry("title", u.Title)
}

func (x *markup) document(d Document) {
	x.entry("type", d.Type)
	x.entry("country", d.Country)
	x.entry("validuntil", d.ValidUntil)
	x.entry("number", d.Number)
	x.entry("issuedby", d.IssuedBy)
	x.entry("dateissued", d.DateIssued)
	if c := d.DriversClasses; c != nil {
		x.classes(*c)
	}
}

func (x *markup) classes(c Classes) {
	before := make([]string, len(c.Identification))
	for i, class := range c.Identification {
		before[i] = class.Type
	}
	attributes := statuses(person.Value{Status: c.Status, ReviewStatus: c.ReviewStatus, Identification: strings.Join(before, " ")})
	if len(c.Value) == 0 {
		x.element("driversclasses", "", attributes...)
		return
	}
	x.section("driversclasses", func() {
		for _, class := range c.Value {
			x.text("type", class.Type)
		}
	}, attributes...)
}

func (x *markup) entry(name string, e *Entry) {
	if e != nil {
		x.element(name, e.Value, statuses(person.Value(*e))...)
	}
}

// statuses returns the attributes of a field, in the order of the printed examples.
func statuses(v person.Value) []attribute {
	return []attribute{
		{"status", string(v.Status)},
		{"original", v.Original},
		{"identification", v.Identification},
		{"reviewstatus", string(v.ReviewStatus)},
	}
}

func (x *markup) flag(name string, b *bool) {
	if b != nil {
		x.text(name, strconv.FormatBool(*b))
	}
}

// text writes an element without attributes, or nothing when it is empty.
func (x *markup) text(name, text string) {
	if text != "" {
		x.element(name, text)
	}
}

// element writes one element on a line of its own.
func (x *markup) element(name, text string, attributes ...attribute) {
	x.open(name, attributes)
	if text == "" {
		x.buf.WriteString("/>\n")
		return
	}
	x.buf.WriteByte('>')
	x.escape(text)
	x.buf.WriteString("</" + name + ">\n")
}

// section writes an element around others; without any it is an empty one.
func (x *markup) section(name string, inside func(), attributes ...attribute) {
	x.open(name, attributes)
	start := x.buf.Len()
	x.buf.WriteString(">\n")
	content := x.buf.Len()
	x.depth++
	inside()
	x.depth--
	if x.buf.Len() == content {
		x.buf.Truncate(start)
		x.buf.WriteString("/>\n")
		return
	}
	x.indent()
	x.buf.WriteString("</" + name + ">\n")
}

// open writes the start of a tag, up to its closing bracket.
func (x *markup) open(name string, attributes []attribute) {
	x.indent()
	x.buf.WriteString("<" + name)
	for _, a := range attributes {
		if a.value != "" {
			x.buf.WriteString(" " + a.name + `="`)
			x.escape(a.value)
			x.buf.WriteByte('"')
		}
	}
}

func (x *markup) indent() { x.buf.WriteString(strings.Repeat("  ", x.depth)) }

// escape writes text, which encoding/xml makes harmless and valid in elements and
// attributes alike.
func (x *markup) escape(text string) {
	_ = xml.EscapeText(&x.buf, []byte(text)) // a bytes.Buffer takes everything
}

// elementName makes an element's name of a key.
func elementName(key string) string {
	name := strings.Map(fileCharacter, key)
	if name == "" || name[0] == '-' || name[0] == '.' || name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}
