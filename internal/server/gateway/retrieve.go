package gateway

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
	"vidimus/internal/service/publish"
)

// login exchanges an API key for a token (8.3.1).
func (g *Gateway) login(w http.ResponseWriter, r *http.Request) error {
	sent, err := web.ReadObject(w, r)
	if err != nil {
		return err
	}
	var key string
	var wrong fault.List
	for _, m := range sent {
		v, _ := web.Scalar(m.Value)
		text, ok := v.(string)
		switch {
		case m.Key != "apiKey":
			wrong = append(wrong, fault.Of(fault.UnknownField).In(m.Key))
		case !ok:
			wrong = append(wrong, fault.Value(m.Key))
		}
		key = text
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	token, err := g.Login.Login(r.Context(), companyOf(r), key)
	if fault.Is(err, fault.BadCredentials) {
		return g.failed(g.Limits.Logins, r, err)
	}
	if err != nil {
		return err
	}
	web.FactsOf(r.Context()).Company = string(companyOf(r))
	writeJSON(w, http.StatusOK, struct {
		AuthToken string `json:"authToken"`
	}{token})
	return nil
}

// company answers the information about the account, with the waiting time (6.4).
func (g *Gateway) company(w http.ResponseWriter, r *http.Request) error {
	a, err := g.mayReadCompany(r)
	if err != nil {
		return err
	}
	wait, waiting, err := g.Waiting.Waiting(r.Context(), a.ID)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct {
		Shortname string            `json:"shortname"`
		Shortcode company.Shortcode `json:"shortcode"`
		Name      string            `json:"name"`
		Wait      int               `json:"estimatedWaitingTime"`
		Waiting   int               `json:"numberOfWaitingChatRequests"`
	}{string(a.ID), a.Shortcode, a.Name, int(wait.Seconds()), waiting})
	return nil
}

// mayReadCompany lets everybody read it where the account allows that.
func (g *Gateway) mayReadCompany(r *http.Request) (*account.Account, error) {
	if r.Header.Get("X-API-LOGIN-TOKEN") != "" {
		return g.byToken(r)
	}
	if a, ok := g.Accounts.Get(companyOf(r)); ok && a.PublicWaitingTime {
		return a, nil
	}
	return nil, g.refused(r, fault.Of(fault.BadCredentials))
}

// lists are the parameters that choose a list (8.3.2), older spellings included.
var lists = map[string]ident.List{
	"pending": ident.ListPending, "canceled": ident.ListCanceled, "cancelled": ident.ListCanceled,
	"aborted": ident.ListAborted, "failed": ident.ListAborted, "archived": ident.ListArchived,
}

// maxLimit is the longest page that can be asked for.
const maxLimit = 1000

// list answers one of the lists: whole and streamed, or a page of it.
func (g *Gateway) list(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	l, err := chooseList(q)
	if err != nil {
		return err
	}
	after, err := readCursor(q.Get("cursor"))
	if err != nil {
		return err
	}
	if q.Get("limit") == "" {
		return g.wholeList(w, r, a, l, after)
	}
	most, err := strconv.Atoi(q.Get("limit"))
	if err != nil || most < 1 || most > maxLimit {
		return fault.Value("limit")
	}
	return g.pageOfList(w, r, a, l, after, most)
}

func chooseList(q url.Values) (ident.List, error) {
	chosen := ident.ListFinished
	var wrong fault.List
	var one bool
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if !q.Has(name) {
			continue
		}
		switch q.Get(name) {
		case "true":
			if one {
				wrong = append(wrong, fault.New(fault.Invalid, "Only one list can be asked for at a time").In(name))
			}
			chosen, one = lists[name], true
		case "false":
		default: // nothing at all, too: who asks for a list must not get another
			wrong = append(wrong, fault.Value(name))
		}
	}
	return chosen, wrong.Err()
}

// wholeList streams. Nothing is sent before the first block of it is there, so that an
// error at its beginning is still an error; one later breaks the connection off.
func (g *Gateway) wholeList(w http.ResponseWriter, r *http.Request, a *account.Account, l ident.List, after publish.Place) error {
	const block = 64 << 10
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	sent := g.listHandOver(w, r, a.ID)
	out := bufio.NewWriterSize(sent, block)
	entries := listWriter{w: out, first: sent.ask}
	_, _, err := g.Publish.List(r.Context(), a, l, after, 0, entries.add)
	if err == nil {
		err = entries.end()
	}
	if err == nil {
		err = out.Flush()
	}
	sent.end(entries.n, err == nil)
	if err != nil && sent.sent > 0 {
		web.FactsOf(r.Context()).Error = err
		panic(http.ErrAbortHandler)
	}
	return err
}

func (g *Gateway) pageOfList(w http.ResponseWriter, r *http.Request, a *account.Account, l ident.List, after publish.Place, most int) error {
	var page bytes.Buffer
	sent := g.listHandOver(w, r, a.ID)
	entries := listWriter{w: &page, first: sent.ask}
	last, more, err := g.Publish.List(r.Context(), a, l, after, most, entries.add)
	if err == nil {
		err = entries.end()
	}
	if err == nil {
		err = sent.ready()
	}
	if err != nil {
		sent.end(0, false)
		return err
	}
	if more {
		q := r.URL.Query()
		q.Set("cursor", cursor(last))
		w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	announce(w, http.StatusOK, page.Len())
	_, err = sent.Write(page.Bytes())
	sent.end(entries.n, err == nil)
	return nil // else the client is gone
}

// listWriter writes {"identifications":[…]}.
type listWriter struct {
	w     io.Writer
	first func() // called before the first entry is written
	n     int    // entries so far
}

func (l *listWriter) add(entry []byte) error {
	before := ","
	if l.n == 0 {
		before = `{"identifications":[`
		l.first()
	}
	l.n++
	if _, err := io.WriteString(l.w, before); err != nil {
		return err
	}
	_, err := l.w.Write(entry)
	return err
}

func (l *listWriter) end() error {
	last := "]}"
	if l.n == 0 {
		last = `{"identifications":[]}`
	}
	_, err := io.WriteString(l.w, last)
	return err
}

// cursor writes a place so that nobody is tempted to read it.
func cursor(p publish.Place) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.CreatedAt.UnixMicro(), 36) + " " + string(p.ID)))
}

func readCursor(s string) (publish.Place, error) {
	if s == "" {
		return publish.Place{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	at, id, ok := strings.Cut(string(b), " ")
	n, err2 := strconv.ParseInt(at, 36, 64)
	known, isID := ident.ParseID(id)
	if err != nil || err2 != nil || !ok || !isID || n <= 0 {
		return publish.Place{}, fault.Value("cursor")
	}
	return publish.Place{CreatedAt: time.UnixMicro(n).UTC(), ID: known}, nil
}

// single answers one result, as JSON (8.3.3.2), or as ZIP where the path says so
// (8.3.3.1).
func (g *Gateway) single(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	if name, ok := strings.CutSuffix(numberOf(r), ".zip"); ok {
		return g.zip(w, r, a, name)
	}
	i, err := g.Identify.Find(r.Context(), a.ID, numberOf(r))
	if err != nil {
		return err
	}
	b, err := g.Publish.JSON(r.Context(), a, i)
	if err != nil {
		return err
	}
	return g.handOverJSON(w, r, i, b)
}

// zip answers the ZIP that a name leads to, without .zip.
func (g *Gateway) zip(w http.ResponseWriter, r *http.Request, a *account.Account, name string) error {
	if strings.TrimSpace(name) == "" {
		return fault.Of(fault.MissingNumber)
	}
	i, err := g.Publish.Named(r.Context(), a.ID, name)
	if err != nil {
		return err
	}
	z, err := g.Publish.ZIP(r.Context(), a, i)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+z.Name+`"`)
	h.Set("Content-Length", strconv.FormatInt(z.Size, 10))
	if r.Method == http.MethodHead {
		return nil
	}
	err = g.handOverZIP(w, r, z)
	if err != nil {
		h.Del("Content-Disposition")
		h.Del("Content-Length")
	}
	return err
}

// status tells where an identification stands, in every state.
func (g *Gateway) status(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	i, err := g.Identify.Find(r.Context(), a.ID, numberOf(r))
	if err != nil {
		return err
	}
	answer := struct {
		ID           ident.ID                `json:"id"`
		Number       ident.TransactionNumber `json:"transactionnumber"`
		State        ident.State             `json:"state"`
		Attempts     int                     `json:"attempts"`
		Result       ident.State             `json:"result,omitempty"`
		Reason       ident.Reason            `json:"reason,omitempty"`
		Permanent    *bool                   `json:"permanent,omitempty"`
		CausedByUser *bool                   `json:"causedbyuser,omitempty"`
		Expires      string                  `json:"expires"`
	}{
		ID: i.ID, Number: i.Number, State: i.State, Attempts: i.Attempts, Result: i.Result, Reason: i.Reason,
		Expires: i.KeptUntil(a.Retention, g.Clock.Scale).Truncate(time.Second).Format(time.RFC3339),
	}
	if i.State.Preliminary() && !a.Realtime {
		answer.Result, answer.Reason = "", "" // such accounts see final results only
	}
	if f, ok := i.Reason.Failure(); ok {
		answer.Permanent, answer.CausedByUser = &f.Permanent, &f.CausedByUser
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// delete removes an identification for good (8.3.4).
func (g *Gateway) delete(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	if err := g.Identify.Delete(r.Context(), a.ID, numberOf(r), "company"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// archive files a finished identification away (8.3.6).
func (g *Gateway) archive(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	if err := g.Identify.Archive(r.Context(), a, numberOf(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// copy copies a finished identification to another account (8.3.5).
func (g *Gateway) copy(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	sent, err := web.ReadObject(w, r)
	if err != nil {
		return err
	}
	fields := map[string]string{"target_companyid": "", "target_transactionnumber": ""}
	var wrong fault.List
	for _, m := range sent {
		v, _ := web.Scalar(m.Value)
		text, isText := v.(string)
		switch _, known := fields[m.Key]; {
		case !known:
			wrong = append(wrong, fault.Of(fault.UnknownField).In(m.Key))
		case !isText && v != nil:
			wrong = append(wrong, fault.Value(m.Key))
		default:
			fields[m.Key] = text
		}
	}
	if fields["target_companyid"] == "" && len(wrong) == 0 {
		wrong = append(wrong, fault.Value("target_companyid"))
	}
	number := fields["target_transactionnumber"]
	if _, err := ident.ParseTransactionNumber(number); number != "" && err != nil {
		wrong = append(wrong, fault.Value("target_transactionnumber"))
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	id, err := g.Identify.Copy(r.Context(), a, numberOf(r), company.ID(fields["target_companyid"]), number)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, started{ID: id})
	return nil
}
