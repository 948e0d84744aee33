package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/store"
)

// sink takes webhooks and answers 200, doing as little as it can.
type sink struct {
	l     net.Listener
	gate  sync.Mutex
	ids   map[string]bool
	want  int
	pid   int
	early moment // when a tenth was there
	done  chan moment
}

// openSink listens; it is through once it has that many different deliveries.
func openSink(want int) (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{l: l, ids: make(map[string]bool, want), want: want, done: make(chan moment, 1)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go s.take(conn)
		}
	}()
	return s, nil
}

func (s *sink) url() string { return "http://" + s.l.Addr().String() + "/results" }

var ok = []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

func (s *sink) take(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		id, length, err := readDelivery(in)
		if err != nil {
			return
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		if _, err := conn.Write(ok); err != nil {
			return
		}
		s.note(id)
	}
}

func (s *sink) note(id string) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.ids[id] {
		return
	}
	s.ids[id] = true
	switch len(s.ids) {
	case s.want / 10:
		s.early = look(s.pid)
	case s.want:
		s.done <- look(s.pid)
	}
}

// readDelivery reads the head of a request.
func readDelivery(in *bufio.Reader) (id string, length int, err error) {
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return "", 0, err
		}
		if len(line) <= 2 {
			return id, length, nil
		}
		name, value, found := cutHeader(line)
		switch {
		case first || !found:
		case name == "webhook-id":
			id = value
		case name == "content-length":
			if _, err := fmt.Sscan(value, &length); err != nil {
				return "", 0, err
			}
		}
	}
}

// webhooks measures deliveries: the whole queue is there when the server starts.
func (b *bench) webhooks(ctx context.Context) error {
	for _, kind := range b.databases() {
		if err := b.webhooksOn(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) webhooksOn(ctx context.Context, kind string) error {
	s, err := b.fresh(ctx, kind, "webhooks")
	if err != nil {
		return err
	}
	to, err := openSink(b.deliveries)
	if err != nil {
		return err
	}
	defer func() { _ = to.l.Close() }()
	if err := b.apply(ctx, s, to.url()); err != nil {
		return err
	}
	if err := queueDeliveries(ctx, s, to.url(), b.deliveries); err != nil {
		return err
	}
	v, err := b.launch(s)
	if err != nil {
		return err
	}
	to.gate.Lock()
	to.pid = v.pid() // it may deliver a tenth before it answers
	to.gate.Unlock()
	if err := v.ready(ctx); err != nil {
		return err
	}
	select {
	case end := <-to.done:
		rate := float64(b.deliveries-b.deliveries/10) / end.at.Sub(to.early.at).Seconds()
		b.table.add(row{what: kind + ": webhooks", value: perSecond(rate), aim: ">= 3000 /s", cpu: end.since(to.early), note: fmt.Sprintf("%d of %d bytes each; bench is the receiver", b.deliveries, bodySize)})
	case <-time.After(2 * time.Minute):
		err = fmt.Errorf("after two minutes only %d of %d were delivered", len(to.ids), b.deliveries)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err := errors.Join(err, v.stop()); err != nil {
		return err
	}
	return allDelivered(ctx, s)
}

// bodySize is about how many bytes a delivery has.
var bodySize int

// queueDeliveries stores finished identifications, each with a delivery to be made.
func queueDeliveries(ctx context.Context, s settings, target string, count int) (err error) {
	m, err := newMaker(ctx, s.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.keys.Close()) }()
	bodySize = len(m.json)
	db, err := store.Open(ctx, s.database, s.data, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	sum := sha256.Sum256([]byte(target))
	const batch = 500
	for first := 0; first < count; first += batch {
		err := db.InTx(ctx, func(ctx context.Context) error {
			for n := first; n < min(first+batch, count); n++ {
				f, err := m.finished(ctx, n)
				if err != nil {
					return err
				}
				if err := queue(ctx, db, f, target, hex.EncodeToString(sum[:8])); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func queue(ctx context.Context, db *store.DB, f finished, target, lane string) error {
	if created, err := db.CreateIdentification(ctx, f.Identification); err != nil {
		return err
	} else if !created {
		return fmt.Errorf("%s is taken", f.ID)
	}
	if err := db.AddResult(ctx, f.result); err != nil {
		return err
	}
	return db.AddDelivery(ctx, delivery.Delivery{
		ID: "msg_" + string(f.ID), Way: delivery.Webhook, Company: f.Company, Identification: f.ID, Lane: string(f.ID) + "/" + lane, Seq: 1, Event: company.Final,
		ResultSeq: 1, KeyID: f.KeyID, Target: target, Hash: f.result.Hash, CreatedAt: f.FinishedAt, DueAt: f.FinishedAt,
	})
}

// allDelivered makes sure that what was counted was also written down.
func allDelivered(ctx context.Context, s settings) (err error) {
	db, err := open(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var left int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM delivery WHERE state <> 'DELIVERED'").Scan(&left); err != nil {
		return err
	}
	if left > 0 {
		return fmt.Errorf("%d deliveries were made and not written down", left)
	}
	return nil
}
