package report

import (
	"time"

	"vidimus/internal/domain/ident"
	"vidimus/internal/service/publish"
)

// masthead draws who asked, what this is, how it ended, and the numbers to find it by.
func (s *sheet) masthead(r publish.Report) {
	p := r.Result.Process
	s.text(bold, 10, navy, left, s.y+3.5, s.fonts.fit(bold, 10, s.clean(r.Company), body))
	s.y += 6
	s.line(navy, s.y)
	s.y += 10
	s.text(bold, 19, ink, left, s.y, s.words.title)
	s.y += 6
	if preliminary(r) {
		s.box(tinted, left, s.y, body, 13)
		s.box(amber, left, s.y, 1.5, 13)
		s.text(bold, 11, amber, left+5, s.y+5.4, s.words.preliminary)
		s.text(sans, 8, ink, left+5, s.y+10.2, s.words.preliminaryNote)
		s.y += 16
	}
	s.badge(p.Result)
	at := p.IdentificationTime
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		at = s.at(t)
	}
	tracking := r.TrackingID
	if tracking == "" {
		tracking = r.Result.Custom.TrackingID
	}
	s.pair(s.words.number, p.TransactionNumber, s.words.id, p.ID)
	s.pair(s.words.tracking, tracking, s.words.time, at)
}

// badge draws the result: large, in words and with its code.
func (s *sheet) badge(code string) {
	shade := navy
	switch ident.State(code) {
	case ident.Success, ident.SuccessChanged:
		shade = green
	case ident.ReviewPending:
		shade = amber
	case ident.FraudPending, ident.FraudConfirmed, ident.Canceled, ident.Aborted:
		shade = red
	default:
	}
	const height = 18.0
	text := s.words.results[code]
	if text == "" {
		text = s.clean(code)
	}
	s.box(shade, left, s.y, body, height)
	s.text(sans, 7.5, white, left+5, s.y+5.2, s.words.resultTitle)
	s.text(bold, 14, white, left+5, s.y+12.8, s.fonts.fit(bold, 14, text, body-10))
	s.textRight(mono, 8, white, right-5, s.y+5.2, s.fonts.fit(mono, 8, s.clean(code), 100))
	s.y += height + 5
}

// pair draws two named values beside each other.
func (s *sheet) pair(name1, value1, name2, value2 string) {
	half := func(name string) column { return column{title: name, width: body / 2, face: sans, size: 9} }
	s.table([]column{half(name1), half(name2)}, []row{{cells: []string{dash(value1), dash(value2)}}})
	s.y += 2
}
