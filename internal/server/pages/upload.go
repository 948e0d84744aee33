package pages

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/server/web"
	"vidimus/internal/service/signing"
)

// maxUpload is the most bytes that an upload may have: a file, and what the form puts around
// it.
const maxUpload = esign.MaxFile + 64<<10

// byUploadLink returns what the link of the address is about. A company that is unknown, a
// token that is wrong or whose identification is gone: all the same.
func (p *Pages) byUploadLink(r *http.Request) (signing.Page, error) {
	page, err := p.Signing.ByUploadLink(r.Context(), companyOf(r), pathValue(r, "token"))
	if fault.Is(err, fault.NotFound) {
		return page, p.failed(p.Limits.Lookups, r, fault.Of(fault.NotFound))
	}
	if err == nil {
		web.FactsOf(r.Context()).Company = string(page.Account.ID)
	}
	return page, err
}

// uploadForm asks for the file (7.2.5), or says why there is nothing to upload.
func (p *Pages) uploadForm(w http.ResponseWriter, r *http.Request) error {
	page, err := p.byUploadLink(r)
	if err != nil {
		return err
	}
	p.askForFile(w, r, page, http.StatusOK, "")
	return nil
}

// askForFile shows the page, with what was wrong if anything was.
func (p *Pages) askForFile(w http.ResponseWriter, r *http.Request, page signing.Page, status int, wrong string) {
	l := wordsFor(r, page.Account)
	d := page.Document
	u := &uploadView{Document: d.Name, Fingerprint: d.File.Display(), Given: !d.File.IsZero() && !d.ByUser, Closed: page.Closed}
	if esign.IsPDF(d.Definition.MIMEType) {
		u.Accept = "application/pdf"
	}
	p.render(w, status, view{Words: l, Title: l.UploadTitle, Template: "upload", Wrong: wrong, Account: page.Account, Form: u.Open(), Upload: u})
}

// upload takes the file. A page that shows it follows, so that loading it again sends nothing
// again.
//
// No token against forged requests is needed, for the reason that download gives: only who
// knows the link can send anything, and nothing that a browser sends by itself tells it.
func (p *Pages) upload(w http.ResponseWriter, r *http.Request) error {
	page, err := p.byUploadLink(r)
	if err != nil {
		return err
	}
	if page.Closed {
		p.askForFile(w, r, page, http.StatusConflict, "")
		return nil
	}
	if r.ContentLength > maxUpload {
		p.askForFile(w, r, page, http.StatusRequestEntityTooLarge, wordsFor(r, page.Account).FileTooLarge)
		return nil
	}
	file, err := fileOf(w, r)
	if err == nil {
		err = p.Signing.UploadByUser(r.Context(), page, file)
	}
	if err == nil {
		http.Redirect(w, r, r.URL.EscapedPath(), http.StatusSeeOther) //nolint:gosec // to this very page, whose path has matched the route
		return nil
	}
	return p.refuseFile(w, r, page, err)
}

// errNoFile says that a form holds no file.
var errNoFile = errors.New("no file was sent")

// fileOf returns the file in a form, whose field has the name of the route of the API. What
// comes before it in the form is passed over.
func fileOf(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	r.Body = http.MaxBytesReader(w, io.NopCloser(web.Patiently(w, r)), maxUpload)
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errNoFile
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, errNoFile
		}
		if part.FormName() == "data" {
			return fileOrNothing(part)
		}
	}
}

func fileOrNothing(part *multipart.Part) (io.Reader, error) {
	if part.FileName() == "" {
		return nil, errNoFile // the form was sent without choosing one
	}
	return part, nil
}

// refuseFile shows the page with the reason, in words for people.
func (p *Pages) refuseFile(w http.ResponseWriter, r *http.Request, page signing.Page, err error) error {
	l := wordsFor(r, page.Account)
	switch first := fault.All(err)[0]; {
	case errors.Is(err, errNoFile):
		p.askForFile(w, r, page, http.StatusBadRequest, l.NoFile)
	case first.Kind == fault.TooLarge:
		p.askForFile(w, r, page, http.StatusRequestEntityTooLarge, l.FileTooLarge)
	case errors.Is(err, signing.ErrCut):
		p.askForFile(w, r, page, http.StatusBadRequest, l.FileIncomplete)
	case first.Kind == fault.Invalid:
		p.askForFile(w, r, page, http.StatusBadRequest, l.WrongFile)
	default:
		// It may be that something has happened meanwhile: then the page tells what.
		now, look := p.byUploadLink(r)
		switch {
		case look != nil:
			return look
		case first.Kind == fault.Forbidden || now.Closed:
			p.askForFile(w, r, now, http.StatusConflict, "")
		case first.Kind == fault.Precondition:
			p.askForFile(w, r, now, http.StatusPreconditionFailed, l.WrongPlaces)
		default:
			return err
		}
	}
	return nil
}
