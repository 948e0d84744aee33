package sftpd

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vidimus/internal/domain/fault"
	"vidimus/internal/service/account"
	"vidimus/internal/service/publish"
)

// What we have beyond version 3 (PROTOCOL of OpenSSH): how long messages may be, and the
// names of owners, so that `ls -l` shows the company where it looks at a single file.
const (
	extLimits = "limits@openssh.com"
	extNames  = "users-groups-by-id@openssh.com"
)

// place is what a path leads to, whether it is there or not.
type place struct {
	directory publish.Directory
	file      string // empty: the folder itself
}

// find reads a path as a client sends it: absolute, or from the root on. false: nothing can
// be there.
func find(a *account.Account, sent string) (place, bool) {
	if strings.ContainsRune(sent, 0) || !utf8.ValidString(sent) {
		return place{}, false
	}
	parts := strings.Split(strings.TrimPrefix(clean(sent), "/"), "/")
	archive := a.Archive && parts[0] == string(publish.ArchiveOnes)
	switch {
	case len(parts) == 1 && archive:
		return place{directory: publish.ArchiveOnes}, true
	case len(parts) == 1:
		return place{file: parts[0]}, true
	case len(parts) == 2 && archive:
		return place{publish.ArchiveOnes, parts[1]}, true
	}
	return place{}, false
}

// clean makes a path absolute, without dots.
func clean(sent string) string { return path.Clean("/" + sent) }

func (r *request) realpath() answer {
	sent := r.fields.path()
	if r.fields.bad {
		return r.bad()
	}
	name := clean(sent)
	return answer{packet: r.packet.begin(msgName, r.id).u32(1).text(name).text(name).u32(0).end()}
}

// entry is a file or a folder as it is shown.
type entry struct {
	name string
	attributes
}

func fileEntry(f publish.FolderFile) entry {
	return entry{f.Name, attributes{size: f.Size, mode: modeFile | 0o666, time: f.Time.Unix()}}
}

func folderEntry(name string, now time.Time) entry {
	return entry{name, attributes{mode: modeDirectory | 0o755, time: now.Unix()}}
}

// long writes an entry as `ls -l` shows it.
func (e entry) long(owner string, now time.Time) string {
	mode := "-rw-rw-rw-"
	if e.mode&modeDirectory != 0 {
		mode = "drwxr-xr-x"
	}
	at := time.Unix(e.time, 0).UTC()
	when := at.Format("Jan _2 15:04")
	if now.Sub(at) > 182*24*time.Hour {
		when = at.Format("Jan _2  2006")
	}
	return fmt.Sprintf("%s    1 %-8s %-8s %8d %s %s", mode, owner, owner, e.size, when, e.name)
}

// look returns what is at a place.
func (r *request) look(ctx context.Context, p place) (entry, error) {
	if p.file == "" {
		return folderEntry(string(p.directory), r.now()), nil
	}
	f, _, err := r.conn.server.Publish.Open(ctx, r.account, p.directory, p.file)
	return fileEntry(f), err
}

func (r *request) now() time.Time { return r.conn.server.Clock.Now() }

// path reads the place that a request is about, or answers why there is none.
func (r *request) place() (place, *answer) {
	sent := r.fields.path()
	if r.fields.bad {
		a := r.bad()
		return place{}, &a
	}
	p, ok := find(r.account, sent)
	if !ok {
		a := r.status(statusNoSuchFile, "no such file")
		return place{}, &a
	}
	return p, nil
}

func (r *request) stat(ctx context.Context) answer {
	p, refused := r.place()
	if refused != nil {
		return *refused
	}
	e, err := r.look(ctx, p)
	if err != nil {
		return r.failed(ctx, "stat", err)
	}
	return r.attributesOf(e)
}

func (r *request) attributesOf(e entry) answer {
	return answer{packet: r.packet.begin(msgAttrs, r.id).attributes(e.attributes).end()}
}

// openFolder is a listing that is being read.
type openFolder struct{ entries []entry }

func (r *request) opendir(ctx context.Context) answer {
	p, refused := r.place()
	if refused != nil {
		return *refused
	}
	if p.file != "" {
		return r.status(statusNoSuchFile, "no such folder")
	}
	files, err := r.conn.server.Publish.Folder(ctx, r.account, p.directory)
	if err != nil {
		return r.failed(ctx, "list", err)
	}
	all := make([]entry, 0, len(files)+1)
	if p.directory == publish.Root && r.account.Archive {
		all = append(all, folderEntry(string(publish.ArchiveOnes), r.now()))
	}
	for _, f := range files {
		all = append(all, fileEntry(f))
	}
	name, ok := r.keep(handle{folder: &openFolder{all}})
	if !ok {
		return r.status(statusFailure, "too many open files")
	}
	r.log(ctx, "list", slog.Int("files", len(files)))
	return answer{packet: r.packet.begin(msgHandle, r.id).text(name).end()}
}

// readdir answers all that is left of a listing: fifty entries fit into one message.
func (r *request) readdir() answer {
	h := r.handles[r.fields.handle()]
	if r.fields.bad || h.folder == nil {
		return r.status(statusFailure, "no such handle")
	}
	all := h.folder.entries
	if len(all) == 0 {
		return r.status(statusEOF, "end of file")
	}
	h.folder.entries = nil
	p := r.packet.begin(msgName, r.id).u32(uint32(len(all))) //nolint:gosec // about fifty
	for _, e := range all {
		p = p.text(e.name).text(e.long(string(r.account.ID), r.now())).attributes(e.attributes)
	}
	return answer{packet: p.end()}
}

func (r *request) remove(ctx context.Context) answer {
	p, refused := r.place()
	if refused != nil {
		return *refused
	}
	if p.file == "" {
		return r.status(statusDenied, "permission denied")
	}
	f, _, err := r.conn.server.Publish.Open(ctx, r.account, p.directory, p.file)
	if err == nil {
		err = r.conn.server.Identify.DeleteFinal(ctx, r.account.ID, f.ID, "company")
	}
	if err != nil {
		return r.failed(ctx, "remove", err)
	}
	r.log(ctx, "remove", slog.String("identification", string(f.ID)))
	return r.status(statusOK, "ok")
}

// rename archives: a file of the root moves to Archive under its own name, and nothing else
// moves.
func (r *request) rename(ctx context.Context) answer {
	from, refused := r.place()
	if refused != nil {
		return *refused
	}
	to, refused := r.place()
	if refused != nil {
		return *refused
	}
	if from.file == "" || to.file == "" {
		return r.status(statusDenied, "permission denied")
	}
	f, _, err := r.conn.server.Publish.Open(ctx, r.account, from.directory, from.file)
	switch {
	case err != nil:
	case from.directory != publish.Root || to != place{publish.ArchiveOnes, from.file} || f.Preliminary:
		err = fault.Of(fault.Forbidden)
	default:
		err = r.conn.server.Identify.ArchiveByID(ctx, r.account, f.ID)
	}
	if err != nil {
		return r.failed(ctx, "archive", err)
	}
	r.log(ctx, "archive", slog.String("identification", string(f.ID)))
	return r.status(statusOK, "ok")
}

// extended answers what OpenSSH asks beyond version 3.
func (r *request) extended() answer {
	switch name := r.fields.text(256); {
	case r.fields.bad:
		return r.bad()
	case name == extLimits:
		p := r.packet.begin(msgExtendedReply, r.id).u64(maxPacket).u64(maxRead).u64(maxRead)
		return answer{packet: p.u64(uint64(r.conn.server.Limits.HandlesPerSession)).end()} //nolint:gosec // a small number
	case name == extNames:
		return r.names()
	}
	return r.status(statusUnsupported, "operation unsupported")
}

// names tells who users and groups are: two lists of numbers, answered by two of names.
func (r *request) names() answer {
	p := r.packet.begin(msgExtendedReply, r.id)
	for range 2 {
		ids := fields{rest: []byte(r.fields.text(maxPath))}
		var list packet
		for len(ids.rest) > 0 && !ids.bad {
			name := ""
			if ids.u32() == owner {
				name = string(r.account.ID)
			}
			list = list.text(name)
		}
		if r.fields.bad || ids.bad {
			return r.bad()
		}
		p = p.text(string(list))
	}
	return answer{packet: p.end()}
}

// log writes what a client has done.
func (r *request) log(ctx context.Context, act string, more ...slog.Attr) {
	r.conn.server.Log.LogAttrs(ctx, slog.LevelInfo, "sftp", slices.Concat([]slog.Attr{
		slog.String("act", act), slog.String("company", string(r.account.ID)), slog.String("client", r.conn.client.String()),
	}, more)...)
}
