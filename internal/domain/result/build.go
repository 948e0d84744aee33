package result

import (
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
)

// Outcome returns the result that in stands for. Success and SuccessChanged are told
// apart here: one field marked CHANGE, by the agent or by the reviewer, makes the latter
// (13.1.1, 13.1.4). Every other result is returned as it is.
func Outcome(in Input) ident.State {
	if in.Result != ident.Success && in.Result != ident.SuccessChanged {
		return in.Result
	}
	in.Result = ident.Success // both are final
	if c := compare(in); c.byAgent || c.byReviewer {
		return ident.SuccessChanged
	}
	return ident.Success
}

// Build returns a preliminary or a final result: whether it is the one or the other, in.Result says.
// A preliminary one shows nothing of the review.
func Build(in Input) Identification {
	c := compare(in)
	p := process(in)
	p.Result = string(Outcome(in))
	p.FileName = name(in) + ".zip"
	p.Href = "/api/v1/" + in.CompanyID + "/identifications/" + p.TransactionNumber + ".zip" // no name is as sure as the number
	if in.Result == ident.FraudPending || in.Result == ident.FraudConfirmed {
		p.Reason = string(in.Reason)
	}
	p.IdentChanges = &c.byAgent
	if c.final {
		p.ReviewChanges = &c.byReviewer
		p.PreviousResult = string(in.PreviousResult)
	}
	i := head(in, p)
	i.Userdata, i.Document = c.userdata, &c.document
	i.Attachments = attachments(in)
	if in.Signed {
		i.Signing = &Signing{Result: string(ident.Success)}
	}
	return i
}

// BuildFailed returns what companies read of an aborted or canceled identification: what
// they sent, and why it failed; no file, no document, nothing that was identified (14.5).
func BuildFailed(in Input) Identification {
	p := process(in)
	p.Reason = string(in.Reason)
	i := head(in, p)
	sent := sentOf(in)
	i.Userdata = userdata(func(f person.Field) *Entry {
		if sent(f) == "" {
			return nil
		}
		return &Entry{Status: person.Original, Original: sent(f)}
	})
	return i
}

// BuildPending returns the entry in the list of an identification without a result: what
// has no value yet is left out, the whole of the user's data included (8.3.2).
func BuildPending(in Input) Identification { return head(in, process(in)) }

// Emptied returns i without anything personal: the process, and the sections that are
// always there, empty. It is what is left of a canceled one once it was handed over.
func Emptied(i Identification) Identification { return Identification{Process: i.Process} }

// process is the part of the section that every identification has.
func process(in Input) Process {
	p := Process{
		Result:            string(in.Result),
		AgentName:         in.AgentName,
		Type:              string(in.Type),
		TransactionNumber: string(in.TransactionNumber),
		CompanyID:         in.CompanyID,
		ID:                string(in.ID),
	}
	if !in.IdentificationTime.IsZero() {
		p.IdentificationTime = in.IdentificationTime.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	return p
}

// head is what the company gave and gets back unchanged, under the process.
func head(in Input, p Process) Identification {
	a := in.Application
	return Identification{
		Process: p,
		Custom: Custom{
			Custom1: a.Custom[0], Custom2: a.Custom[1], Custom3: a.Custom[2], Custom4: a.Custom[3], Custom5: a.Custom[4],
			TrackingID: a.TrackingID,
		},
		Contact:   Contact{Email: a.Email, MobilePhone: a.MobilePhone},
		Questions: answered(in.Questions),
	}
}

// answered leaves out what nobody answered, and a key's second answer.
func answered(all []Answer) Questions {
	var q Questions
	for _, a := range all {
		if a.Key != "" && a.Value != (question.Value{}) && !slices.ContainsFunc(q, func(b Answer) bool { return b.Key == a.Key }) {
			q = append(q, a)
		}
	}
	return q
}

func name(in Input) string {
	if in.FileName != "" {
		return in.FileName
	}
	return string(in.TransactionNumber)
}

// compared is the user's data and the document, and whether anybody changed a field.
type compared struct {
	final               bool
	byAgent, byReviewer bool
	userdata            Userdata
	document            Document
}

func compare(in Input) compared {
	c := compared{final: in.Result.Final()}
	reviewed := in.Identified
	if in.Reviewed != nil {
		reviewed = *in.Reviewed
	}
	agent, reviewer := streets(in, in.Identified), streets(in, reviewed)
	sent := sentOf(in)
	c.userdata = userdata(func(f person.Field) *Entry {
		return c.entry(person.Compare(sent(f), f.Show(agent(f)), f.Show(reviewer(f)), c.final))
	})
	field := func(f person.DocumentField) *Entry {
		if in.Settings.redacts(f) {
			return &Entry{Status: person.Redaction}
		}
		return c.entry(person.Compare("", f.Show(in.Identified.Document[f]), f.Show(reviewed.Document[f]), c.final))
	}
	c.document = Document{
		Type:           field(person.DocumentType),
		Country:        field(person.DocumentCountry),
		ValidUntil:     field(person.ValidUntil),
		Number:         field(person.DocumentNumber),
		IssuedBy:       field(person.IssuedBy),
		DateIssued:     field(person.DateIssued),
		DriversClasses: c.classes(in.Identified.DriversClasses, reviewed.DriversClasses, in.Settings.redacts(person.DriversClasses)),
	}
	return c
}

// entry takes note of changes; a value with nothing to show is nil.
func (c *compared) entry(v person.Value) *Entry {
	if v == (person.Value{}) {
		return nil
	}
	agent, reviewer := v.Changed()
	c.byAgent, c.byReviewer = c.byAgent || agent, c.byReviewer || reviewer
	return (*Entry)(&v)
}

// classes compares the classes of a driver's licence as one value.
func (c *compared) classes(agent, reviewer []string, redact bool) *Classes {
	v := person.Compare("", strings.Join(agent, " "), strings.Join(reviewer, " "), c.final)
	switch {
	case v == (person.Value{}):
		return nil
	case redact:
		return &Classes{Status: person.Redaction}
	}
	c.entry(v)
	return &Classes{
		Value:          classList(v.Value),
		Status:         v.Status,
		ReviewStatus:   v.ReviewStatus,
		Identification: classList(v.Identification),
	}
}

func classList(joined string) []Class {
	list := []Class{} // an empty list is not null
	for _, class := range strings.Fields(joined) {
		list = append(list, Class{Type: class})
	}
	return list
}

// userdata puts each field in its place.
func userdata(of func(person.Field) *Entry) Userdata {
	a := Address{
		Street:       of(person.Street),
		StreetNumber: of(person.StreetNumber),
		City:         of(person.City),
		Zipcode:      of(person.Zipcode),
		Country:      of(person.Country),
	}
	u := Userdata{
		Firstname:   of(person.Firstname),
		Lastname:    of(person.Lastname),
		Birthday:    of(person.Birthday),
		Birthplace:  of(person.Birthplace),
		Nationality: of(person.Nationality),
		Gender:      of(person.Gender),
		Birthname:   of(person.Birthname),
		Title:       of(person.Title),
	}
	if a != (Address{}) {
		u.Address = &a
	}
	return u
}

// sentOf returns what the company sent, field by field.
func sentOf(in Input) func(person.Field) string {
	return streets(in, person.Data{Userdata: in.Application.Userdata})
}

// streets returns the user's fields; where the account keeps street and number in one
// field, the street holds both and there is no number.
func streets(in Input, d person.Data) func(person.Field) string {
	return func(f person.Field) string {
		v := d.Userdata[f]
		switch {
		case !in.Settings.StreetNumberInStreet:
			return v
		case f == person.StreetNumber:
			return ""
		case f == person.Street:
			return strings.TrimSpace(v + " " + d.Userdata[person.StreetNumber])
		default:
			return v
		}
	}
}
