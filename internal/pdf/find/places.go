package find

import (
	"context"

	"github.com/klippa-app/go-pdfium/references"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
)

// Check says whether a file is a PDF that can be signed: fault.Invalid with the reason when
// it is none, is damaged beyond what readers repair, is encrypted, has no pages or too many,
// or takes too long to read.
func (f *Finder) Check(ctx context.Context, file []byte) error {
	return f.read(ctx, file, func(*document) error { return nil })
}

// Places returns where the signatures stand in a file, in the order in which they were
// asked for; of one that stands relative to a text one spot for every occurrence, in reading
// order. A place that is missing is left out where the signature is optional, else it is
// fault.Precondition with the signature's name as key, each one of its own. Besides, the
// faults of Check.
func (f *Finder) Places(ctx context.Context, file []byte, want []esign.Signature) ([]esign.Spot, error) {
	var spots []esign.Spot
	err := f.read(ctx, file, func(d *document) error {
		s := &search{doc: d, want: want, texts: map[string]*hits{}, fields: map[string]anchor{}, sheets: map[int]sheet{}}
		if err := s.look(); err != nil {
			return err
		}
		var wrong fault.List
		for _, w := range want {
			found, missing := s.spots(w)
			switch {
			case missing == nil:
				spots = append(spots, found...)
			case !w.Optional:
				wrong = append(wrong, missing.In(w.Name))
			}
		}
		return wrong.Err()
	})
	if err != nil {
		return nil, err
	}
	return spots, nil
}

// search is one look through a document, for all signatures at once.
type search struct {
	doc    *document
	want   []esign.Signature
	texts  map[string]*hits  // by what is looked for
	fields map[string]anchor // by their full name
	sheets map[int]sheet     // by the number of the page, those that are wanted
}

// hits are the occurrences of one text.
type hits struct {
	found   []anchor
	tooMany bool
}

// look goes through the pages as far as something is looked for there.
func (s *search) look() error {
	fields := false
	for _, w := range s.want {
		switch p := w.Position; {
		case p.TextContent != "":
			s.texts[p.TextContent] = &hits{}
		case p.AcroField != "":
			fields = true
		case p.Page >= 1 && p.Page <= int64(s.doc.pages):
			s.sheets[int(p.Page)] = sheet{}
		}
	}
	if !fields {
		return s.pages(nil)
	}
	return s.doc.form(func(form references.FPDF_FORMHANDLE) error { return s.pages(&form) })
}

// pages reads what is wanted of each page. No form: no field is looked for.
func (s *search) pages(form *references.FPDF_FORMHANDLE) error {
	for number := 1; number <= s.doc.pages; number++ {
		_, wanted := s.sheets[number]
		if !wanted && form == nil && len(s.texts) == 0 {
			continue
		}
		err := s.doc.page(number, func(p *page) error {
			if wanted {
				s.sheets[number] = p.sheet
			}
			if form != nil {
				if err := p.fields(*form, s.fields); err != nil {
					return err
				}
			}
			if len(s.texts) == 0 {
				return nil
			}
			return p.texts(func(letters []letter, r *ruler) error { return s.readTexts(p, letters, r) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readTexts adds the occurrences on one page. Text outside the part of the page that is
// displayed is nobody's.
func (s *search) readTexts(p *page, letters []letter, r *ruler) error {
	for text, h := range s.texts {
		if h.tooMany {
			continue
		}
		var found []occurrence
		for _, at := range matches(letters, text, maxMatches+1) {
			o, drawn, err := r.occurrence(letters, at)
			if err != nil {
				return err
			}
			if drawn && o.box.meets(p.visible) {
				found = append(found, o)
			}
		}
		p.inReadingOrder(found)
		for _, o := range found {
			h.found = append(h.found, anchor{field{box: o.box}, p.sheet, p.number})
		}
		h.tooMany = len(h.found) > maxMatches
	}
	return nil
}

// spots returns where a signature stands, or what is missing for it.
func (s *search) spots(w esign.Signature) ([]esign.Spot, *fault.Error) {
	anchors, missing := s.anchors(w.Position)
	if missing != nil {
		return nil, missing
	}
	var spots []esign.Spot
	for _, a := range anchors {
		p := w.Position
		b := a.place(a.box, p.Left, p.Bottom, p.Width, p.Height)
		if !b.meets(a.visible) {
			return nil, fault.New(fault.Precondition, "The place of this signature lies outside page %d of the document", a.number)
		}
		spot := esign.Spot{Signature: w.Name, Page: a.number, X: b.x0, Y: b.y0, W: b.x1 - b.x0, H: b.y1 - b.y0, Rotate: a.rotate}
		if a.empty && b.isNearly(a.box) {
			spot.Field = p.AcroField
			spot.X, spot.Y, spot.W, spot.H = a.box.x0, a.box.y0, a.box.x1-a.box.x0, a.box.y1-a.box.y0
		}
		spots = append(spots, spot)
	}
	return spots, nil
}

// anchors returns what a place is relative to: the page as displayed, a field, or each
// occurrence of a text.
func (s *search) anchors(p esign.Position) ([]anchor, *fault.Error) {
	switch {
	case p.TextContent != "":
		h := s.texts[p.TextContent]
		if len(h.found) == 0 {
			return nil, fault.New(fault.Precondition, "The document does not contain the text that this signature stands at")
		}
		if h.tooMany {
			return nil, fault.New(fault.Precondition, "The document contains the text that this signature stands at more than %d times", maxMatches)
		}
		return h.found, nil
	case p.AcroField != "":
		f, ok := s.fields[p.AcroField]
		if !ok {
			return nil, fault.New(fault.Precondition, "The document does not show the form field that this signature stands at")
		}
		return []anchor{f}, nil
	default:
		sheet, ok := s.sheets[int(min(max(p.Page, 0), maxPages+1))]
		if !ok {
			return nil, fault.New(fault.Precondition, "The document does not have the page that this signature stands on: it has %d", s.doc.pages)
		}
		return []anchor{{field{box: sheet.visible}, sheet, int(p.Page)}}, nil
	}
}
