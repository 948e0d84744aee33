package pages

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
	"vidimus/internal/service/publish"
)

// maxForm is the most bytes that a form may have.
const maxForm = 16 << 10

// byLink returns what the link of the address opens. A company that is unknown or has no
// form, a token that is wrong or whose identification is gone: all the same.
func (p *Pages) byLink(r *http.Request) (*account.Account, *publish.ZIP, error) {
	a, z, err := p.Publish.ByLink(r.Context(), companyOf(r), pathValue(r, "token"))
	if fault.Is(err, fault.NotFound) {
		return nil, nil, p.failed(p.Limits.Lookups, r, fault.Of(fault.NotFound))
	}
	if err != nil {
		return nil, nil, err
	}
	web.FactsOf(r.Context()).Company = string(a.ID)
	return a, z, nil
}

// downloadForm asks for the API key (chapter 11).
func (p *Pages) downloadForm(w http.ResponseWriter, r *http.Request) error {
	a, _, err := p.byLink(r)
	if err != nil {
		return err
	}
	p.askForKey(w, r, a, http.StatusOK, "")
	return nil
}

// askForKey shows the form, with what was wrong if anything was. What was typed is not shown
// again: it may be a key of something else.
func (p *Pages) askForKey(w http.ResponseWriter, r *http.Request, a *account.Account, status int, wrong string) {
	l := wordsFor(r, a)
	p.render(w, status, view{Words: l, Title: l.DownloadTitle, Template: "download", Wrong: wrong, Account: a, Form: true})
}

// download hands the archive over to who has the key.
//
// No token against forged requests is needed: nothing that a browser sends by itself opens
// anything here. There are no cookies; the key is in the form or nowhere, a page of somebody
// else's that knows it needs no victim, and one that does not gets, like everybody, a form.
func (p *Pages) download(w http.ResponseWriter, r *http.Request) error {
	a, z, err := p.byLink(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return fault.Of(fault.TooLarge)
		}
		p.askForKey(w, r, a, http.StatusBadRequest, wordsFor(r, a).NoKey)
		return nil
	}
	key := strings.TrimSpace(r.PostForm.Get("apikey"))
	if key == "" {
		p.askForKey(w, r, a, http.StatusBadRequest, wordsFor(r, a).NoKey)
		return nil
	}
	// Every try counts before its key is looked at, and only now that all of it is here: many
	// that are begun at once are not more than many in a row. Whoever has had too many is not
	// told whether one was right.
	if err := p.failed(p.Limits.Logins, r, nil); err != nil {
		return err
	}
	if _, err := p.Login.Key(a.ID, key); err != nil {
		p.askForKey(w, r, a, http.StatusUnauthorized, wordsFor(r, a).WrongKey)
		return nil
	}
	p.Limits.Logins.Succeeded(p.Proxies.Client(r))
	return p.handOver(w, r, z)
}

// handOver sends the archive; the ledger knows of it before the first byte leaves. A failure
// after that breaks the connection off: the length was announced, so that the browser sees
// that the file is not whole.
func (p *Pages) handOver(w http.ResponseWriter, r *http.Request, z *publish.ZIP) error {
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+z.Name+`"`)
	h.Set("Content-Length", strconv.FormatInt(z.Size, 10))
	sent, err := z.HandOver(r.Context(), delivery.Form, p.Proxies.Client(r).String(), w)
	if err != nil && sent > 0 {
		web.FactsOf(r.Context()).Error = err
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.Del("Content-Disposition")
		h.Del("Content-Length")
	}
	return err
}
