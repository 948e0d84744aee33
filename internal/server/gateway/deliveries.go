package gateway

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/publish"
)

// handedOver is an entry of the ledger as the company reads it: address is where it was sent
// to, client who fetched it.
type handedOver struct {
	ID       string        `json:"id"`
	Time     string        `json:"time"`
	Way      delivery.Way  `json:"way"`
	Event    company.Event `json:"event,omitempty"`
	Address  string        `json:"address,omitempty"`
	Client   string        `json:"client,omitempty"`
	SHA256   string        `json:"sha256,omitempty"`
	Bytes    int64         `json:"bytes"`
	State    string        `json:"state"`
	Tries    int           `json:"tries"`
	Status   int           `json:"status,omitempty"`
	Problem  string        `json:"problem,omitempty"`
	Finished string        `json:"finished,omitempty"`
}

// deliveries answers who got what of an identification, by which way: the oldest first.
func (g *Gateway) deliveries(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	i, err := g.Identify.Find(r.Context(), a.ID, numberOf(r))
	if err != nil {
		return err
	}
	q := r.URL.Query()
	after, err := readSpot(q.Get("cursor"))
	if err != nil {
		return err
	}
	most := maxLimit
	if limit := q.Get("limit"); limit != "" {
		if most, err = strconv.Atoi(limit); err != nil || most < 1 || most > maxLimit {
			return fault.Value("limit")
		}
	}
	list, err := g.Publish.LedgerOf(r.Context(), a.ID, i.ID, after, most+1) // one more, to know whether more follow
	if err != nil {
		return err
	}
	if len(list) > most {
		list = list[:most]
		last := list[most-1]
		q.Set("cursor", spot(last))
		w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	page := make([]handedOver, len(list))
	for n, e := range list {
		page[n] = written(e)
	}
	writeJSON(w, http.StatusOK, struct {
		Deliveries []handedOver `json:"deliveries"`
	}{page})
	return nil
}

func written(e delivery.Entry) handedOver {
	h := handedOver{
		ID: e.ID, Time: moment(e.At), Way: e.Way, Event: e.Event, Client: e.To, SHA256: hex.EncodeToString(e.Hash), Bytes: e.Bytes, State: e.State,
		Tries: e.Tries, Status: e.Status, Problem: e.Problem, Finished: moment(e.DoneAt),
	}
	if e.Event != "" {
		h.Client, h.Address = "", e.To
	}
	return h
}

// moment writes a time to the millisecond: many of them fall into one second.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// spot writes the place of an entry so that nobody is tempted to read it.
func spot(e delivery.Entry) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(e.At.UnixMicro(), 36) + " " + e.ID))
}

func readSpot(s string) (publish.Spot, error) {
	if s == "" {
		return publish.Spot{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	at, id, ok := strings.Cut(string(b), " ")
	n, err2 := strconv.ParseInt(at, 36, 64)
	if err != nil || err2 != nil || !ok || n <= 0 || len(id) == 0 || len(id) > 100 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return publish.Spot{}, fault.Value("cursor")
	}
	return publish.Spot{At: time.UnixMicro(n).UTC(), ID: id}, nil
}
