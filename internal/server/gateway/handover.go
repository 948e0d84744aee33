package gateway

import (
	"crypto/sha256"
	"hash"
	"io"
	"net/http"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/ident"
	"vidimus/internal/server/web"
	"vidimus/internal/service/publish"
)

// handOverJSON answers with a single result, which the ledger knows of before it leaves. A
// HEAD hands nothing over.
func (g *Gateway) handOverJSON(w http.ResponseWriter, r *http.Request, i ident.Identification, body []byte) error {
	if r.Method == http.MethodHead {
		writeBytes(w, http.StatusOK, body)
		return nil
	}
	sum := sha256.Sum256(body)
	h, err := g.Publish.Begin(r.Context(), delivery.HandOver{
		Company: i.Company, Identification: i.ID, Way: delivery.RESTJSON, Client: g.Proxies.Client(r).String(), Hash: sum[:],
	})
	if err != nil {
		return err
	}
	defer h.End(publish.Ended{})
	n := writeBytes(w, http.StatusOK, body)
	h.End(publish.Ended{Whole: n == len(body), Bytes: int64(n)})
	return nil
}

// handOverZIP sends an archive whose headers are set. Once bytes have left, a failure breaks
// the connection off: the length was announced, so that the client sees that the file is not
// whole.
func (g *Gateway) handOverZIP(w http.ResponseWriter, r *http.Request, z *publish.ZIP) error {
	sent, err := z.HandOver(r.Context(), delivery.RESTZIP, g.Proxies.Client(r).String(), w)
	if err != nil && sent > 0 {
		web.FactsOf(r.Context()).Error = err
		panic(http.ErrAbortHandler)
	}
	return err
}

// listHandOver writes a list to the client. The ledger gets one entry for the whole list,
// and has it before the first byte leaves: it is asked when the first entry is there, and
// answers while more are read. A list without entries hands nothing over, nor does a HEAD.
type listHandOver struct {
	w     io.Writer
	begin func() (*publish.Handing, error) // nil: a HEAD
	asked chan struct{}                    // nil: not yet; closed when the two below are there
	h     *publish.Handing
	err   error
	sum   hash.Hash
	sent  int64
}

func (g *Gateway) listHandOver(w http.ResponseWriter, r *http.Request, c company.ID) *listHandOver {
	l := &listHandOver{w: w, sum: sha256.New()}
	if r.Method == http.MethodHead {
		return l
	}
	client := g.Proxies.Client(r).String()
	l.begin = func() (*publish.Handing, error) {
		return g.Publish.Begin(r.Context(), delivery.HandOver{Company: c, Way: delivery.RESTList, Client: client})
	}
	return l
}

// ask tells the ledger that there is something to hand over.
func (l *listHandOver) ask() {
	if l.begin == nil || l.asked != nil {
		return
	}
	l.asked = make(chan struct{})
	go func() {
		defer close(l.asked)
		l.h, l.err = l.begin()
	}()
}

// ready waits for the ledger.
func (l *listHandOver) ready() error {
	if l.asked == nil {
		return nil
	}
	<-l.asked
	return l.err
}

// Write waits for the ledger first.
func (l *listHandOver) Write(b []byte) (int, error) {
	if err := l.ready(); err != nil {
		return 0, err
	}
	n, err := l.w.Write(b)
	l.sum.Write(b[:n])
	l.sent += int64(n)
	return n, err
}

// end tells the ledger how it went; it must be called on every path.
func (l *listHandOver) end(entries int, whole bool) {
	if l.ready() == nil && l.h != nil {
		l.h.End(publish.Ended{Whole: whole, Bytes: l.sent, Hash: l.sum.Sum(nil), Entries: entries})
	}
}
