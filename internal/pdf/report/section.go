package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/publish"
)

func preliminary(r publish.Report) bool { return ident.State(r.Result.Process.Result).Preliminary() }

// content draws everything but the footers.
func (s *sheet) content(r publish.Report) {
	s.newPage()
	s.masthead(r)
	s.process(r)
	s.person(r.Result.Userdata)
	s.document(r.Result.Document)
	s.facts(s.words.contact, []fact{{s.words.email, r.Result.Contact.Email}, {s.words.phone, r.Result.Contact.MobilePhone}})
	c := r.Result.Custom
	s.facts(s.words.custom, []fact{{"Custom 1", c.Custom1}, {"Custom 2", c.Custom2}, {"Custom 3", c.Custom3}, {"Custom 4", c.Custom4}, {"Custom 5", c.Custom5}})
	s.questions(r.Answers)
	if r.Result.Signing != nil {
		s.facts(s.words.signing, []fact{{s.words.signingResult, r.Result.Signing.Result}})
	}
	s.checks(r.Checks)
	s.gallery(r)
	s.files(r)
	if s.lost {
		s.y += 3
		s.paragraph(7.5, soft, s.words.lost)
	}
}

// fact is a named value; an empty one is not shown.
type fact struct{ name, value string }

func (s *sheet) facts(title string, all []fact) {
	var rows []row
	for _, f := range all {
		if f.value != "" {
			rows = append(rows, row{cells: []string{f.name, f.value}})
		}
	}
	if len(rows) == 0 {
		return
	}
	s.section(title, 12)
	s.table([]column{textColumn("", 55), textColumn("", 115)}, rows)
}

// at writes a moment; nothing where there is none.
func (s *sheet) at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(s.words.dateTime)
}

func (s *sheet) yesNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return s.words.yes
	default:
		return s.words.no
	}
}

// result is a result in words, with its code.
func (s *sheet) result(code string) string {
	if text := s.words.results[code]; text != "" && code != "" {
		return text + " (" + code + ")"
	}
	return code
}

func (s *sheet) process(r publish.Report) {
	p, reviewed := r.Result.Process, s.at(r.ReviewedAt)
	if preliminary(r) && reviewed == "" {
		reviewed = s.words.notYet
	}
	channel := p.Type
	if text := s.words.channels[channel]; text != "" {
		channel = text
	}
	company := r.Company
	if p.CompanyID != "" && p.CompanyID != company {
		company = strings.TrimSpace(company + " (" + p.CompanyID + ")")
	}
	s.facts(s.words.process, []fact{
		{s.words.company, company}, {s.words.channel, channel}, {s.words.agent, p.AgentName}, {s.words.reviewer, r.Reviewer},
		{s.words.requested, s.at(r.RequestedAt)}, {s.words.taken, s.at(r.TakenAt)}, {s.words.ended, s.at(r.EndedAt)}, {s.words.reviewed, reviewed},
		{s.words.previous, s.result(p.PreviousResult)}, {s.words.reason, p.Reason},
		{s.words.identChanges, s.yesNo(p.IdentChanges)}, {s.words.reviewChanges, s.yesNo(p.ReviewChanges)},
	})
}

// named is a field of the result with the name that people read.
type named struct {
	name  string
	entry *result.Entry
}

func (s *sheet) person(u result.Userdata) {
	f := s.words.fields
	all := []named{
		{f["title"], u.Title}, {f["firstname"], u.Firstname}, {f["lastname"], u.Lastname}, {f["birthname"], u.Birthname}, {f["gender"], u.Gender},
		{f["birthday"], u.Birthday}, {f["birthplace"], u.Birthplace}, {f["nationality"], u.Nationality},
	}
	if a := u.Address; a != nil {
		all = append(all, named{f["street"], a.Street}, named{f["streetnumber"], a.StreetNumber}, named{f["zipcode"], a.Zipcode}, named{f["city"], a.City}, named{f["country"], a.Country})
	}
	s.data(s.words.person, all)
}

func (s *sheet) document(d *result.Document) {
	if d == nil {
		return
	}
	f := s.words.fields
	all := []named{
		{f["type"], d.Type}, {f["docnumber"], d.Number}, {f["doccountry"], d.Country}, {f["issuedby"], d.IssuedBy},
		{f["dateissued"], d.DateIssued}, {f["validuntil"], d.ValidUntil},
	}
	if c := d.DriversClasses; c != nil {
		all = append(all, named{s.words.classes, &result.Entry{
			Value: joined(c.Value), Status: c.Status, ReviewStatus: c.ReviewStatus, Identification: joined(c.Identification),
		}})
	}
	s.data(s.words.document, all)
}

func joined(classes []result.Class) string {
	var types []string
	for _, c := range classes {
		types = append(types, c.Type)
	}
	return strings.Join(types, ", ")
}

// data draws fields with what happened to them. What no field has, has no column.
func (s *sheet) data(title string, all []named) {
	var sent, before, review, marked bool
	for _, n := range all {
		if e := n.entry; e != nil {
			sent, before, review = sent || e.Original != "", before || e.Identification != "", review || e.ReviewStatus != ""
		}
	}
	columns := []column{textColumn(s.words.field, 34), textColumn(s.words.value, 46), textColumn(s.words.status, 30)}
	add := func(on bool, title string, width float64) {
		if on {
			columns = append(columns, textColumn(title, width))
		}
	}
	add(sent, s.words.original, 38)
	add(before, s.words.byAgent, 36)
	add(review, s.words.review, 30)
	var rows []row
	for _, n := range all {
		e := n.entry
		if e == nil {
			continue
		}
		byAgent, byReviewer := person.Value(*e).Changed()
		r := row{cells: []string{n.name, s.shown(*e), s.status(e.Status)}, marked: byAgent || byReviewer}
		for _, c := range []struct {
			on   bool
			text string
		}{{sent, e.Original}, {before, e.Identification}, {review, s.status(e.ReviewStatus)}} {
			if c.on {
				r.cells = append(r.cells, dash(c.text))
			}
		}
		rows, marked = append(rows, r), marked || r.marked
	}
	s.section(title, 16)
	if len(rows) == 0 {
		s.paragraph(textSize, soft, s.words.none)
		return
	}
	s.table(columns, rows)
	if marked {
		s.y++
		s.paragraph(7, soft, s.words.changesNote)
	}
}

// shown is the value of a field as people read it.
func (s *sheet) shown(e result.Entry) string {
	switch byAgent, byReviewer := person.Value(e).Changed(); {
	case e.Status == person.Redaction:
		return s.words.redacted
	case e.Value == "" && (byAgent || byReviewer):
		return s.words.removed
	default:
		return dash(e.Value)
	}
}

func (s *sheet) status(st person.Status) string {
	if text := s.words.statuses[string(st)]; text != "" {
		return text
	}
	return string(st)
}

func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func (s *sheet) questions(answers []publish.Answer) {
	var rows []row
	for _, a := range answers {
		rows = append(rows, row{cells: []string{dash(a.Label), dash(a.Value)}})
	}
	if len(rows) == 0 {
		return
	}
	s.section(s.words.questions, 16)
	s.table([]column{textColumn(s.words.question, 90), textColumn(s.words.answer, 80)}, rows)
}

func (s *sheet) checks(all []evidence.Check) {
	if len(all) == 0 {
		return
	}
	var rows []row
	for _, c := range all {
		outcome := s.words.passed
		if !c.Passed {
			outcome = s.words.failed
		}
		rows = append(rows, row{cells: []string{s.name(c.Name), outcome, score(c.Score), dash(c.Reason), dash(c.By), second(c.AtVideo)}, marked: !c.Passed})
	}
	s.section(s.words.checks, 16)
	s.table([]column{
		textColumn(s.words.check, 46), textColumn(s.words.outcome, 37), textColumn(s.words.score, 14), textColumn(s.words.reason, 34),
		textColumn(s.words.by, 34), textColumn(s.words.second, 22),
	}, rows)
}

// name is that of a check or a picture. A custom one is called what the company calls it.
func (s *sheet) name(key string) string {
	if text := s.words.names[key]; text != "" {
		return text
	}
	if digits, ok := strings.CutPrefix(key, "security"); ok && strings.Trim(digits, "0123456789") == "" {
		return s.words.names["security"] + " " + digits
	}
	return strings.ReplaceAll(key, "_", " ")
}

// score is that of a machine; people give none.
func score(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// second is a place in a recording as minutes and seconds.
func second(v float64) string {
	if !(v > 0 && v < 1e6) {
		return "–"
	}
	tenths := int(math.Round(v * 10))
	seconds := strconv.FormatFloat(float64(tenths%600)/10, 'f', 1, 64)
	if tenths%600 < 100 {
		seconds = "0" + seconds
	}
	return strconv.Itoa(tenths/600) + ":" + seconds
}
