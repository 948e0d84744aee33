// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/delivery"
	"vidimus/internal/service/publish"
)

// settle has the ends of hand-overs written, as they are at a stop.
func (p *platform) settle() {
	ctx, cancel := context.WithCancel(p.t.Context())
	cancel()
	p.publish.Run(ctx)
}

// entry is what tests look at in an entry of the ledger.
type entry struct {
	Way     delivery.Way
	Client  string
	SHA256  string
	Bytes   int64
	Entries int
	State   string
}

// ledger returns what ihrebank fetched, the oldest first.
func (p *platform) ledger() (all []entry) {
	p.t.Helper()
	p.settle()
	list, err := p.publish.Ledger(p.t.Context(), "ihrebank", publish.Spot{}, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	for n := len(list) - 1; n >= 0; n-- {
		e := list[n]
		all = append(all, entry{e.Way, e.To, hex.EncodeToString(e.Hash), e.Bytes, e.Entries, e.State})
	}
	return all
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func TestTheLedgerKnowsWhatWasFetched(t *testing.T) {
	p := newPlatform(t, settings{})
	p.run("1", "HAPPYPATH", 3*time.Minute)
	mine := token(p.login("ihrebank"))
	fetch := func(path string) []byte {
		h := mine.Clone()
		h.Set("X-Forwarded-For", "198.51.100.9")
		return p.get(own+path, h, http.StatusOK).body
	}
	var want []entry
	for _, c := range []struct {
		path    string
		way     delivery.Way
		entries int
	}{
		{"/1", delivery.RESTJSON, 0}, {"/1.zip", delivery.RESTZIP, 0}, {"", delivery.RESTList, 1}, {"?limit=5", delivery.RESTList, 1},
	} {
		body := fetch(c.path)
		want = append(want, entry{c.way, "198.51.100.9", sum(body), int64(len(body)), c.entries, "DONE"})
		p.time.advance(time.Second)
	}
	// What hands nothing over leaves nothing.
	for _, path := range []string{"/1", "/1.zip", "", "?limit=5"} {
		p.want(p.request(http.MethodHead, own+path, "", mine), http.StatusOK)
	}
	fetch("?canceled=true")
	fetch("?aborted=true&limit=3")
	fetch("/1/status")
	p.get(own+"/none", mine, http.StatusNotFound)
	p.get(own+"/none.zip", mine, http.StatusNotFound)
	p.get(own+"/1", token("wrong"), http.StatusUnauthorized)
	if diff := cmp.Diff(want, p.ledger()); diff != "" {
		t.Error(diff)
	}
}

func TestADownloadThatBreaksOffIsBroken(t *testing.T) {
	p := newPlatform(t, settings{big: true})
	p.run("1", "HAPPYPATH", 3*time.Minute)
	mine := p.login("ihrebank")
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET "+own+"/1.zip HTTP/1.1\r\nHost: x\r\nX-API-LOGIN-TOKEN: "+mine+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	a, err := http.ReadResponse(r, nil)
	if err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", a, err)
	}
	defer func() { _ = a.Body.Close() }()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	p.server.Close() // waits for the request
	p.server = nil
	got := p.ledger()
	if len(got) != 1 || got[0].State != "BROKEN" || got[0].Bytes < 1000 || got[0].Bytes >= a.ContentLength || len(got[0].SHA256) != 64 {
		t.Errorf("of %d bytes: %+v", a.ContentLength, got)
	}
}

func TestDeliveriesAreHandedOutInOrderAndByPages(t *testing.T) {
	p := newPlatform(t, settings{})
	p.run("Order-1", "HAPPYPATH", 3*time.Minute)
	mine := token(p.login("ihrebank"))
	none := p.get(own+"/order-1/deliveries", mine, http.StatusOK)
	if string(none.body) != `{"deliveries":[]}` {
		t.Errorf("before anything was fetched: %s", none.body)
	}
	var want []string
	for n := range 5 {
		way := []string{"REST_JSON", "REST_ZIP"}[n%2]
		p.get(own+"/Order-1"+[]string{"", ".zip"}[n%2], mine, http.StatusOK)
		want = append(want, way)
		if n > 1 { // the first ones at the same moment
			p.time.advance(time.Second)
		}
	}
	p.settle()
	var got, ids []string
	for path := own + "/order-1/deliveries?limit=2"; path != ""; {
		a := p.get(path, mine, http.StatusOK)
		var page struct {
			Deliveries []struct {
				ID, Way, Time, Finished, Client, State string
			}
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Deliveries {
			got, ids = append(got, d.Way), append(ids, d.ID)
			if d.Client != "127.0.0.1" || d.State != "DONE" || d.Finished == "" {
				t.Errorf("%+v", d)
			}
		}
		path = ""
		if a.Header.Get("Link") != "" {
			path = linked(t, a)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, id := range ids {
		if strings.Count(strings.Join(ids, " "), id) != 1 {
			t.Errorf("%s twice in %v", id, ids)
		}
	}
	for _, bad := range []string{"limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=AAAA"} {
		p.get(own+"/order-1/deliveries?"+bad, mine, http.StatusBadRequest)
	}
	p.get("/api/v1/testbank/identifications/order-1/deliveries", token(p.login("testbank")), http.StatusNotFound)
	p.want(p.request(http.MethodDelete, own+"/order-1", "", mine), http.StatusOK)
	p.get(own+"/order-1/deliveries", mine, http.StatusNotFound)
	if n := strconv.Itoa(len(p.ledger())); n != "5" {
		t.Errorf("after the deletion the ledger has %s entries", n)
	}
}
