package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// outcome is what a run of many clients reached.
type outcome struct {
	rate     float64 // requests a second
	bytes    float64 // a second
	p50, p99 time.Duration
	cpu      share
}

// ask makes one request and returns the size of its answer.
type ask func(c *client) (bytes int, err error)

// hammer has many clients, on a kept connection each, ask one after the other for a while.
// What happens in the first part of it, a fifth, is not counted.
func hammer(ctx context.Context, v *server, clients int, during time.Duration, worker func(n int) ask) (outcome, error) {
	warm := during / 4
	began := time.Now()
	from, to := began.Add(warm), began.Add(warm+during)
	var all sync.WaitGroup
	took := make([][]time.Duration, clients)
	sizes := make([]int, clients)
	errs := make([]error, clients)
	for n := range clients {
		all.Go(func() {
			took[n], sizes[n], errs[n] = repeat(ctx, v.addr, from, to, worker(n))
		})
	}
	time.Sleep(time.Until(from))
	before := look(v.pid())
	time.Sleep(time.Until(to))
	cpu := look(v.pid()).since(before)
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return outcome{}, err
	}
	times := slices.Concat(took...)
	slices.Sort(times)
	var size int
	for _, s := range sizes {
		size += s
	}
	return outcome{
		rate: float64(len(times)) / during.Seconds(), bytes: float64(size) / during.Seconds(),
		p50: quantile(times, 0.5), p99: quantile(times, 0.99), cpu: cpu,
	}, nil
}

// repeat asks until the end and notes what ended between the two moments.
func repeat(ctx context.Context, addr string, from, to time.Time, do ask) (took []time.Duration, size int, err error) {
	c, err := dial(addr)
	if err != nil {
		return nil, 0, err
	}
	defer c.close()
	took = make([]time.Duration, 0, 1<<14)
	for ctx.Err() == nil {
		began := time.Now()
		n, err := do(c)
		if err != nil {
			return nil, 0, err
		}
		ended := time.Now()
		if ended.After(to) {
			return took, size, nil
		}
		if ended.After(from) {
			took = append(took, ended.Sub(began))
			size += n
		}
	}
	return nil, 0, ctx.Err()
}

// application is what a company sends for a new customer.
const application = `{"firstname":"Maria Magdalena","lastname":"Musterfrau","birthday":"1985-04-12","birthplace":"München",` +
	`"nationality":"DE","gender":"FEMALE","street":"Beispielallee","streetnumber":"12a","zipcode":"80331","city":"München","country":"DE",` +
	`"email":"maria.musterfrau@example.org","mobilephone":"+4915112345678","custom1":"contract 4711","trackingid":"campaign-9","preferredLang":"de"}`

// creator returns a worker that creates identifications with numbers of its own.
func creator(run string) func(n int) ask {
	return func(worker int) ask {
		prefix := "/api/v1/" + companyID + "/identifications/" + run + "-" + strconv.Itoa(worker) + "-"
		var request []byte
		var number int
		return func(c *client) (int, error) {
			number++
			request = post(request[:0], prefix+strconv.Itoa(number)+"/start", "X-API-KEY: "+apiKey+"\r\n", []byte(application))
			status, body, err := c.do(request)
			if err == nil && status != 201 {
				err = fmt.Errorf("creating: %d: %s", status, body)
			}
			return len(body), err
		}
	}
}

// creations measures them, and right before and after each run the raw limit.
func (b *bench) creations(ctx context.Context) error {
	for _, kind := range b.databases() {
		s, err := b.fresh(ctx, kind, "creations")
		if err != nil {
			return err
		}
		if err := b.apply(ctx, s, ""); err != nil {
			return err
		}
		limit, err := b.rawStore(ctx, kind)
		if err != nil {
			return err
		}
		v, err := b.serve(ctx, s)
		if err != nil {
			return err
		}
		err = b.creationsOn(ctx, kind, v, limit)
		if err := errors.Join(err, limit.close(), v.stop()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) creationsOn(ctx context.Context, kind string, v *server, limit *rawStore) error {
	var single, many []float64
	var made []outcome
	for run := range b.runs {
		one, err := limit.inserts(ctx, 1, b.raw)
		if err != nil {
			return err
		}
		all, err := limit.inserts(ctx, connections, b.raw)
		if err != nil {
			return err
		}
		o, err := hammer(ctx, v, connections, b.creating, creator("run"+strconv.Itoa(run)))
		if err != nil {
			return err
		}
		single, many, made = append(single, one), append(many, all), append(made, o)
	}
	same := func(f float64) float64 { return f }
	one, all := median(single, same), median(many, same)
	o := median(made, func(o outcome) float64 { return o.rate })
	aim, note := 2*one, fmt.Sprintf("%.2f x one writer", o.rate/one)
	if kind == postgreSQL {
		aim, note = 0.7*all, fmt.Sprintf("%.2f x %d writers", o.rate/all, connections)
	}
	_, peak := resident(v.pid())
	b.table.add(row{what: kind + ": raw inserts, 1 writer", value: perSecond(one), note: "one durable row each"})
	b.table.add(row{what: fmt.Sprintf("%s: raw inserts, %d writers", kind, connections), value: perSecond(all), note: "one durable row each"})
	b.table.add(row{what: kind + ": creations", value: perSecond(o.rate), aim: ">= " + perSecond(aim), cpu: o.cpu, note: note})
	b.table.add(row{what: kind + ": creations, p50 / p99", value: milliseconds(o.p50) + " / " + milliseconds(o.p99), note: fmt.Sprintf("memory at most %.0f MB", peak)})
	return nil
}
