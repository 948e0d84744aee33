package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// zips measures downloads of results that robots have made, as ZIP and as JSON. Each is also
// an entry of the ledger, durable before it leaves.
func (b *bench) zips(ctx context.Context) error {
	s, err := b.fresh(ctx, sqlite, "zips")
	if err != nil {
		return err
	}
	if err := b.apply(ctx, s, ""); err != nil {
		return err
	}
	s.speedup = 60 // the robots' pauses; nothing that is measured
	v, err := b.serve(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(b.zipsOn(ctx, v), v.stop())
}

func (b *bench) zipsOn(ctx context.Context, v *server) error {
	token, err := b.finishByRobots(ctx, v)
	if err != nil {
		return err
	}
	for _, kind := range []struct{ what, end string }{{"ZIP downloads", ".zip"}, {"JSON results", ""}} {
		o, err := b.download(ctx, v, token, kind.end)
		if err != nil {
			return err
		}
		b.table.add(row{
			what: "SQLite: " + kind.what, value: fmt.Sprintf("%.0f /s, %.0f MB/s", o.rate, o.bytes/1e6), cpu: o.cpu,
			note: fmt.Sprintf("%.0f KB each, p99 %s", o.bytes/o.rate/1e3, milliseconds(o.p99)),
		})
	}
	return nil
}

// download fetches results for a while, one after another; end is what follows the number.
func (b *bench) download(ctx context.Context, v *server, token, end string) (outcome, error) {
	var all []outcome
	for range b.runs {
		o, err := hammer(ctx, v, connections, b.fetching, func(n int) ask {
			return func(c *client) (int, error) {
				n = (n + 1) % b.archives
				status, size, err := c.drain(get("/api/v1/"+companyID+"/identifications/zip-"+strconv.Itoa(n)+end, token))
				if err == nil && status != 200 {
					err = fmt.Errorf("downloading: %d", status)
				}
				return size, err
			}
		})
		if err != nil {
			return outcome{}, err
		}
		all = append(all, o)
	}
	return median(all, func(o outcome) float64 { return o.rate }), nil
}

// finishByRobots has robots finish the identifications zip-0, zip-1, … and returns a token
// to fetch them with.
func (b *bench) finishByRobots(ctx context.Context, v *server) (string, error) {
	c, err := dial(v.addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	data := []byte(strings.Replace(application, "Maria Magdalena", "X-AUTOTEST-HAPPYPATH", 1))
	header := "X-API-KEY: " + apiKey + "\r\n"
	path := func(n int) string { return "/api/v1/" + companyID + "/identifications/zip-" + strconv.Itoa(n) }
	for n := range b.archives {
		for _, request := range [][]byte{post(nil, path(n)+"/start", header, data), post(nil, path(n)+"/requestVideoChat", header, []byte("{}"))} {
			if status, body, err := c.do(request); err != nil || status > 201 {
				return "", errors.Join(err, fmt.Errorf("asking the robots: %d: %s", status, body))
			}
		}
	}
	token, err := login(v.addr)
	if err != nil {
		return "", err
	}
	for n := 0; n < b.archives; {
		status, body, err := c.do(get(path(n)+"/status", token))
		if err != nil || status != 200 {
			return "", errors.Join(err, fmt.Errorf("asking for the status: %d: %s", status, body))
		}
		if bytes.Contains(body, []byte(`"SUCCESS`)) {
			n++
			continue
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return token, nil
}
