#ifndef STORAGE_TEXT_H
#define STORAGE_TEXT_H

/*
 * The answer of ResolveStorage for people: where the credentials come from,
 * what they are, and why the other entries are not used.
 *
 *	s3, from /home/u/clearml.conf:12:5 (file)
 *	  bucket                 data-eu
 *	  ...
 *
 *	Not used:
 *	  entry 0, /home/u/clearml.conf:9:5 (file)
 *	    the URI does not begin with s3://other
 */

struct buf;
struct value;

/* @storage: the Storage object of the answer. */
void storage_text_write(struct buf *out, const struct value *storage);

#endif
