/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Fields MESSAGE_ID of the journal: what operators may wait for. data/catalog/bawn.catalog explains each of them. A number
 * never changes, and never means something else.
 */
#define BAWN_MESSAGE_UNSEALED "554df7fa3c1a41e4b826c8da7ee69f8a"
#define BAWN_MESSAGE_SEALED "ebcd5fa2c7d840efbd4f504617518c34"
#define BAWN_MESSAGE_ACTIVE "5a3be4fcc3a94d0ebcebb145c67b22d2"
#define BAWN_MESSAGE_NOT_ACTIVE "77dc5e4d810d48168c88030030291c82"
#define BAWN_MESSAGE_AUDIT_FAILED "da9886258a774f85bbdf1ebad48b82f2"
#define BAWN_MESSAGE_NOT_UNSEALED_ITSELF "62c8efbaae6c4de998b78ddb168a92b8"
